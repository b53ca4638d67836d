// What a provider does to the process that it lives in.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { run } from './program.mjs';
import { about, fault, lifetime, requests, reset } from './sandbox.mjs';

beforeEach(reset);

const beginning = `
  import { open } from 'keyless-credentials';
  const provider = await open(process.env.DOCUMENT);
`;
const env = { DOCUMENT: about.documents.native };

test('a process ends by itself with an open provider', async () => {
  for (const [text, stdout] of [
    ['console.log((await provider.token()).length > 20)', 'true\n'],
    ['console.log((await provider.fetch(`${provider.baseURL}/models`)).status)', '200\n'],
    ['', ''],
  ]) {
    const ended = await run(beginning + text, { env, patience: 20_000 });
    assert.deepEqual(ended, { code: 0, signal: null, stdout, stderr: '' }, text);
  }
});

test('neither a request under way nor a renewal that waits keeps it alive', async () => {
  const before = await requests('exchange');
  await fault('exchange', { kind: 'stall' });
  const waits = `
    import { setTimeout as pause } from 'node:timers/promises';
    const sent = async () => (await (await fetch('${about.admin}/state')).json()).counters.exchange.requests > ${before};
    while (!(await sent())) await pause(10);
  `;
  const started = performance.now();
  const ended = await run(beginning + waits, { env, patience: 30_000 });
  assert.deepEqual([ended.code, ended.signal, ended.stderr], [0, null, '']);
  // The component would wait ten seconds for the answer.
  assert.ok(performance.now() - started < 9_000);
});

test('a provider that nobody refers to goes, and renews no longer', async () => {
  await lifetime(4);
  const text = `
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { setTimeout as pause } from 'node:timers/promises';
    import { open } from 'keyless-credentials';
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    async function use() {
      const provider = await open(process.env.DOCUMENT);
      const { expiresAt } = await provider.credential();
      return [new WeakRef(provider), expiresAt];
    }
    const [provider, end] = await use();
    while (provider.deref() !== undefined || Date.now() < end) {
      await pause(20);
      collect();
    }
    console.log('gone');
  `;
  const before = await requests('exchange');
  assert.deepEqual(await run(text, { env, patience: 20_000 }), { code: 0, signal: null, stdout: 'gone\n', stderr: '' });
  // A renewal would have been due long before the end.
  assert.equal(await requests('exchange'), before + 1);
});

test('who waits is waited for', async () => {
  await fault('exchange', { kind: 'delay', ms: 1_000 }, 1);
  const ended = await run(`${beginning} console.log((await provider.token()).length > 20)`, { env });
  assert.deepEqual(ended, { code: 0, signal: null, stdout: 'true\n', stderr: '' });
});

test('nothing is written, and no secret anywhere, when everything fails', async () => {
  await fault('exchange', { kind: 'status', status: 403 });
  const ended = await run(`${beginning} await provider.token()`, { env: { ...env, NODE_DEBUG: '' } });
  assert.equal(ended.code, 1);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /exchange-refused/);
  assert.doesNotMatch(ended.stderr, /eyJ|Bearer/);
});
