// An instance of the component that breaks, and the one that takes its place.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { inside } from './inside.mjs';
import { about, reset } from './sandbox.mjs';
import { until } from './until.mjs';

const { Effects } = await inside('effects.js');
const { Grant } = await inside('grant.js');
const { Lease } = await inside('lease.js');
const { loadMachine } = await inside('machine.js');
const { Network } = await inside('network.js');
const { trusting } = await inside('trust.js');

beforeEach(reset);

// A lease on the component itself, which traps as often as it is told to: a trap is a `RuntimeError` of WebAssembly.
async function leased(t) {
  const [sessions, trust] = await Promise.all([loadMachine(), trusting(about.ca_file)]);
  const told = { traps: 0, opens: 0 };
  const open = () => {
    told.opens += 1;
    const session = sessions().open(about.documents.native, []);
    const step = session.step.bind(session);
    session.step = (now, event) => {
      if (told.traps > 0) {
        told.traps -= 1;
        throw new WebAssembly.RuntimeError('unreachable');
      }
      return step(now, event);
    };
    return session;
  };
  const grant = new Grant({ endpoints: [{ method: 'POST', url: about.token_endpoint }], files: [about.token_file] });
  const lease = new Lease(open, new Effects(grant, undefined, new Network(trust), trust, undefined));
  t.after(() => lease.close());
  lease.wake();
  return { lease, told, first: await lease.ready(10_000, undefined) };
}

test('a trapped instance is replaced, and what it gave stays in use', async (t) => {
  const { lease, told, first } = await leased(t);
  assert.equal(first.generation, 1);
  told.traps = 1;
  lease.reject(99);
  assert.equal(told.traps, 0);
  assert.equal(lease.usable(), first);
  const status = lease.status();
  assert.deepEqual([status.phase, status.replacements, status.lastError.code], ['waiting', 1, 'component-trapped']);

  // A timer may be early by the clock that decides.
  const real = performance.now;
  t.after(() => (performance.now = real));
  performance.now = () => real.call(performance) - 50;
  await until('a new instance', () => lease.usable().generation === 2);
  assert.equal(told.opens, 2);
  assert.deepEqual([lease.status().phase, lease.status().renewals, lease.status().failuresInARow], ['fresh', 2, 0]);

  // Of an instance that is gone, and of the present one.
  lease.reject(1);
  assert.equal(lease.usable().generation, 2);
  lease.reject(2);
  assert.equal((await lease.ready(10_000, undefined)).generation, 3);
});

test('one that traps again and again is asked ever more rarely', async (t) => {
  const { lease, told, first } = await leased(t);
  told.traps = 2;
  lease.wake();
  assert.equal(lease.status().lastError.retryAfterMs, 1_000);
  await until('the second trap', () => told.traps === 0);
  assert.equal(lease.status().lastError.retryAfterMs, 2_000);
  assert.equal(lease.usable(), first);
  await until('a new instance', () => lease.usable().generation === 2);
  told.traps = 1;
  lease.wake();
  assert.equal(lease.status().lastError.retryAfterMs, 1_000);
});

test('the API refused what an instance gave that is gone', async (t) => {
  const { lease, told } = await leased(t);
  told.traps = 1;
  lease.wake();
  lease.reject(1);
  assert.equal(lease.usable(), undefined);
  assert.equal((await lease.ready(10_000, undefined)).generation, 2);
});

test('nobody hears of what was cancelled', async () => {
  const heard = [];
  const answers = [];
  const signals = [];
  const source = (_, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  };
  const trust = await trusting(undefined);
  const effects = new Effects(new Grant({}), undefined, new Network(trust), trust, source);
  for (const id of [1n, 2n, 3n]) {
    effects.perform({ tag: 'ask-source', val: { id, audience: undefined } }, (event) => heard.push(event.val[0]));
  }
  effects.perform({ tag: 'cancel', val: 1n }, () => assert.fail('a cancellation has no answer'));
  assert.deepEqual(signals.map((signal) => signal.aborted), [true, false, false]);
  answers[0]('token');
  answers[1]('token');
  await until('the second', () => heard.length > 0);
  effects.cancelAll();
  answers[2]('token');
  await new Promise(setImmediate);
  assert.deepEqual(heard, [2n]);
  assert.ok(signals[2].aborted);
});
