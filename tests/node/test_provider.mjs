// What programs see of a provider, when all is well and when it is not.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import { KeylessError, open } from 'keyless-credentials';

import { about, combination, fault, lifetime, noFaults, requests, reset, rotateToken, state, tokenFile, trusting } from './sandbox.mjs';
import { until } from './until.mjs';

beforeEach(reset);

async function opened(t, document = about.documents.native, options = {}) {
  const provider = await open(document, { ...trusting, variables: {}, ...options });
  t.after(() => provider.close());
  return provider;
}

const works = async (provider) => {
  const response = await fetch(`${provider.baseURL}/models`, { headers: await provider.headers() });
  await response.body.cancel();
  return response.status === 200;
};

test('any number of cold callers share one exchange', async (t) => {
  const before = await requests('exchange');
  await fault('exchange', { kind: 'delay', ms: 200 }, 1);
  const provider = await opened(t);
  assert.equal(provider.current(), undefined);
  const tokens = await Promise.all(Array.from({ length: 64 }, () => provider.token()));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(await requests('exchange'), before + 1);
  assert.equal(provider.current().token, tokens[0]);
  assert.equal(await provider.token(), tokens[0]);
  assert.equal((await provider.headers()).authorization, `Bearer ${tokens[0]}`);
  assert.equal(await requests('exchange'), before + 1);
  assert.ok(await works(provider));
});

test('a short life under load: every credential that is given out opens the API', async (t) => {
  await lifetime(4);
  const provider = await opened(t);
  const generations = new Set();
  await until('three generations', async () => {
    const credential = await provider.credential();
    assert.ok(credential.expiresAt > Date.now());
    generations.add(credential.generation);
    assert.ok(await works(provider));
    return generations.size >= 3;
  });
  const { phase, renewals, failures } = provider.status();
  assert.ok(['fresh', 'renewing'].includes(phase), phase);
  assert.ok(renewals >= 3);
  assert.equal(failures, 0);
});

test('a rejected credential is replaced once', async (t) => {
  const provider = await opened(t);
  const first = await provider.credential();
  const before = await requests('exchange');
  provider.reject(first.generation);
  assert.equal(provider.current(), undefined);
  const [second] = await Promise.all(Array.from({ length: 16 }, () => provider.credential()));
  assert.equal(second.generation, first.generation + 1);
  provider.reject(first.generation);
  assert.equal(provider.current(), second);
  // One renewal is forced in thirty seconds; the credential stays in use meanwhile.
  provider.reject(second.generation);
  assert.equal((await provider.credential()).generation, second.generation);
  provider.reject(second.generation + 5);
  assert.equal(await requests('exchange'), before + 1);
  for (const wrong of [undefined, '1', -1, 1.5, NaN]) {
    assert.throws(() => provider.reject(wrong), { code: 'generation-invalid', kind: 'invalid' });
  }
});

test('an outage hides no valid credential, and heals', async (t) => {
  await lifetime(8);
  const provider = await opened(t);
  const first = await provider.credential();
  await fault('exchange', { kind: 'status', status: 503 });
  await until('a failed renewal', () => provider.status().failures > 0);
  assert.equal(provider.status().phase, 'waiting');
  assert.equal(provider.status().lastError.code, 'endpoint-failed');
  assert.equal(provider.current().generation, first.generation);
  assert.equal(await provider.token(), first.token);
  await noFaults();
  await until('a renewal', () => provider.current()?.generation > first.generation);
  assert.ok(await works(provider));
});

test('what has ended is not given out', async (t) => {
  await lifetime(2);
  const provider = await opened(t);
  const first = await provider.credential();
  await fault('exchange', { kind: 'close_before' });
  await until('the end', () => provider.current() === undefined);
  assert.ok(Date.now() >= first.expiresAt - 5);
  await assert.rejects(provider.token({ within: 50 }), { kind: 'unavailable', code: 'endpoint-unreachable' });
  assert.equal(provider.status().phase === 'fresh', false);
  await noFaults();
  await lifetime(3600);
  assert.match(await provider.token(), /\S{20,}/);
});

test('either clock ends a credential', async (t) => {
  for (const [clock, name] of [[Date, 'Date'], [performance, 'performance']]) {
    const provider = await opened(t);
    const first = await provider.credential();
    const real = clock.now;
    clock.now = () => real.call(clock) + 2 * 3600_000;
    try {
      assert.equal(provider.current(), undefined, name);
    } finally {
      clock.now = real;
    }
    assert.equal(provider.current(), first, name);
  }
});

test('after a suspension the next one is fetched at once', async (t) => {
  const provider = await opened(t);
  const first = await provider.credential();
  const real = Date.now;
  t.after(() => (Date.now = real));
  // The wall clock has gone on, the monotonic one has not.
  Date.now = () => real() + 7200_000;
  assert.equal(provider.current(), undefined);
  const next = await provider.credential();
  assert.equal(next.generation, first.generation + 1);
  assert.ok(next.expiresAt > Date.now());
});

test('the first caller hears at once of what only a person can mend', async (t) => {
  await tokenFile(null);
  t.after(() => rotateToken({}));
  const provider = await opened(t);
  await assert.rejects(provider.token(), (error) => {
    assert.ok(error instanceof KeylessError);
    assert.deepEqual([error.kind, error.code, error.isTransient], ['identity', 'token-file-missing', false]);
    assert.ok(error.retryAfterMs > 0);
    return true;
  });
});

test('a refusal, a redirect, an answer too large', async (t) => {
  for (const [kind, expected] of [
    [{ kind: 'status', status: 403 }, { kind: 'rejected', code: 'exchange-refused' }],
    [{ kind: 'redirect', location: `${about.issuer}/elsewhere` }, { kind: 'unavailable', code: 'endpoint-redirect' }],
    [{ kind: 'endless_body' }, { kind: 'unavailable', code: 'response-too-large' }],
    [{ kind: 'malformed_json' }, { kind: 'unavailable', code: 'response-malformed' }],
  ]) {
    await noFaults();
    await fault('exchange', kind);
    const provider = await opened(t);
    await assert.rejects(provider.token({ within: 1_500 }), expected, JSON.stringify(kind));
    await provider.close();
  }
});

test('a swapped token file is read anew', async (t) => {
  const provider = await opened(t);
  await provider.token();
  const seen = async () => (await state()).requests.exchange.at(-1).body.subject_token.sha256;
  const before = await seen();
  await rotateToken({});
  provider.reject(1);
  await provider.token();
  assert.notEqual(await seen(), before);
});

test('a caller who gives up disturbs nobody', async (t) => {
  await fault('exchange', { kind: 'delay', ms: 300 }, 1);
  const provider = await opened(t);
  const controller = new AbortController();
  const waiting = provider.token({ within: Infinity });
  const aborted = provider.token({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  await assert.rejects(provider.token({ signal: controller.signal }), /enough/);
  await assert.rejects(provider.token({ within: 1 }), { code: 'connection-deadline', kind: 'unavailable' });
  assert.match(await waiting, /\S{20,}/);
});

test('a slow exchange leaves the event loop alone', async (t) => {
  await fault('exchange', { kind: 'delay', ms: 300 }, 1);
  let ticks = 0;
  const provider = await opened(t);
  const ticking = setInterval(() => (ticks += 1), 1);
  await provider.token();
  clearInterval(ticking);
  assert.ok(ticks >= 30, `${ticks} ticks`);
});

test('closed is closed', async (t) => {
  const before = await requests('exchange');
  await fault('exchange', { kind: 'stall' });
  const provider = await opened(t);
  const waiting = Promise.allSettled([provider.token(), provider.credential(), provider.renewed()]);
  await until('the request', async () => (await requests('exchange')) > before);
  await provider.close();
  for (const { status, reason } of await waiting) {
    assert.deepEqual([status, reason.code], ['rejected', 'connection-closed']);
  }
  assert.equal(provider.current(), undefined);
  assert.equal(provider.status().phase, 'closed');
  await assert.rejects(provider.token(), { code: 'connection-closed' });
  provider.reject(1);
  await provider.close();
  await noFaults();
  const other = await opened(t);
  await other.token();
  await other[Symbol.asyncDispose]();
  await assert.rejects(other.token(), { code: 'connection-closed' });
});

test('a key that is no bearer', async (t) => {
  const provider = await opened(t, { api_key: { variable: 'KEY' }, api: { type: 'anthropic' } }, { variables: { KEY: 'sk-ant-xxxxxxxxxxxxxxxxxxxx' } });
  assert.deepEqual(await provider.headers(), { 'x-api-key': 'sk-ant-xxxxxxxxxxxxxxxxxxxx' });
  await assert.rejects(provider.token(), { code: 'credential-without-token', kind: 'invalid' });
  assert.equal(provider.current().expiresAt, undefined);
  assert.deepEqual(provider.plan.requirements.variables, ['KEY']);
});

test('nothing shows a secret', async (t) => {
  const provider = await opened(t);
  const credential = await provider.credential();
  const identity = readFileSync(about.token_file, 'utf8').trim();
  const { document, variables } = combination('variable-openai');
  const other = await opened(t, document, { variables });
  await other.token();
  await tokenFile('not a token canary-canary-canary');
  t.after(() => rotateToken({}));
  const third = await opened(t);
  const error = await third.token().catch((reason) => reason);
  assert.equal(error.kind, 'identity');
  const deep = { depth: Infinity, showHidden: true, getters: false };
  const shown = [provider, credential, provider.status(), other, other.status(), third, error]
    .flatMap((value) => [inspect(value, deep), JSON.stringify(value), String(value), String(value?.stack)])
    .join('\n');
  for (const secret of [credential.token, identity, (await other.credential()).token, Object.values(variables)[0], 'canary']) {
    assert.ok(secret.length > 5 && !shown.includes(secret), `${secret.length} characters`);
    for (const part of secret.split('.')) {
      assert.ok(part.length < 20 || !shown.includes(part));
    }
  }
  assert.match(shown, /generation/);
});
