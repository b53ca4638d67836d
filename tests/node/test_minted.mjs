// Keys that a provider makes itself: they open the API, follow each other, and go with it.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';

import OpenAI from 'openai';
import { open } from 'keyless-credentials';

import { inside } from './inside.mjs';
import { run } from './program.mjs';
import { about, accounts, fault, reset, trusting } from './sandbox.mjs';
import { until } from './until.mjs';

beforeEach(reset);

const { document } = about.documents.openai_service_account;

// The sandbox's document for accounts of that prefix.
function minting(prefix, settings = {}) {
  const { exchange } = JSON.parse(document);
  return { exchange: { ...exchange, service_account_name_prefix: prefix, ...settings } };
}

async function opened(t, prefix, settings) {
  const provider = await open(minting(prefix, settings), { ...trusting, variables: {} });
  t.after(() => provider.close().catch(() => {}));
  return provider;
}

const alive = async (prefix) => (await accounts(prefix)).filter((account) => account.deleted_at_ms === null);

test('a minted key opens the API, is followed by another, and goes after its grace', async (t) => {
  const provider = await opened(t, 'rotates', { refresh_interval: '10s', grace: '3s' });
  const openai = new OpenAI({ apiKey: () => provider.token(), baseURL: provider.baseURL, maxRetries: 0 });
  await until('the first account gone', async () => {
    assert.ok((await openai.models.list()).data.length > 0);
    return (await accounts('rotates'))[0].deleted_at_ms !== null;
  });
  const [first, second, ...more] = await accounts('rotates');
  assert.deepEqual(more, []);
  // Told by two clocks, each in milliseconds.
  assert.ok(first.deleted_at_ms - second.created_at_ms >= 2_950, JSON.stringify([first, second]));
  assert.equal(second.deleted_at_ms, null);
  await provider.close();
  const after = await accounts('rotates');
  assert.ok(after.every((account) => account.deleted_at_ms !== null && account.uses > 0), JSON.stringify(after));
  assert.deepEqual(after.map((account) => account.uses_after_deletion), [0, 0]);
});

test('closing deletes what the provider made, and nothing else', async (t) => {
  const [one, other] = [await opened(t, 'apart'), await opened(t, 'apart')];
  await one.token();
  const [first] = await alive('apart');
  await other.token();
  const closing = one.close();
  assert.equal(one.current(), undefined);
  await assert.rejects(one.token(), { code: 'connection-closed' });
  assert.equal(one.close(), closing);
  assert.equal(await closing, undefined);
  const left = await alive('apart');
  assert.deepEqual([left.length, left[0].id === first.id], [1, false]);
  assert.equal(one.status().phase, 'closed');
  await other[Symbol.asyncDispose]();
  assert.deepEqual(await alive('apart'), []);
});

const program = (prefix, last) => [
  `import { open } from 'keyless-credentials';
  const provider = await open(process.env.DOCUMENT);
  console.log((await provider.token()).length > 20);
  ${last}`,
  { env: { DOCUMENT: JSON.stringify(minting(prefix)) } },
];
const well = { code: 0, signal: null, stdout: 'true\n', stderr: '' };

test('a process that ends deletes nothing; one that closes lives until that is done', async () => {
  assert.deepEqual(await run(...program('dropped', '')), well);
  assert.equal((await alive('dropped')).length, 1);
  for (const [index, last] of ['await provider.close();', 'provider.close();', 'setTimeout(() => provider.close(), 10);'].entries()) {
    assert.deepEqual(await run(...program(`closed-${index}`, last)), well, last);
    assert.deepEqual([(await accounts(`closed-${index}`)).length, await alive(`closed-${index}`)], [1, []], last);
  }
});

test('what is left is told to whoever closes, and ends no process', async (t) => {
  const provider = await opened(t, 'left');
  await provider.token();
  await fault('upstream', { kind: 'status', status: 500 }, undefined, 'delete_service_account');
  const closing = provider.close();
  await assert.rejects(closing, { name: 'KeylessError', kind: 'unavailable', code: 'accounts-left' });
  assert.equal(provider.close(), closing);
  assert.equal((await alive('left')).length, 1);
  assert.deepEqual(await run(...program('left-alone', 'provider.close();')), well);
  assert.equal((await alive('left-alone')).length, 1);
});

test('an account whose key got lost on the way goes, too', async (t) => {
  await fault('upstream', { kind: 'close_after' }, undefined, 'create_service_account');
  const provider = await opened(t, 'lost');
  await until('a lost answer', () => provider.status().failures > 0);
  assert.equal((await alive('lost')).length, 1);
  await provider.close();
  assert.deepEqual(await alive('lost'), []);
});

test('an exchange under way is cut off', async (t) => {
  await fault('upstream', { kind: 'stall' }, undefined, 'list_service_accounts');
  const provider = await opened(t, 'cut');
  const waiting = assert.rejects(provider.token(), { code: 'connection-closed' });
  const started = performance.now();
  await provider.close();
  await waiting;
  // Nothing had been asked for that could be left, so that nothing is looked for.
  assert.ok(performance.now() - started < 5_000);
  assert.deepEqual(await accounts('cut'), []);
});

test('an end that does not come is given up, and so is one that traps', async () => {
  const { end } = await inside('ending.js');
  const session = { close() {}, closed() {}, step: () => [], wakeAt() {} };
  const told = { closed: 0 };
  const effects = { perform() {}, close: () => (told.closed += 1) };
  await assert.rejects(end(session, effects, 20), { code: 'connection-close-timeout', kind: 'unavailable' });
  for (const broken of ['close', 'step', 'closed', 'wakeAt']) {
    const trap = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    await assert.rejects(end({ ...session, [broken]: trap }, effects), { code: 'component-trapped', kind: 'unavailable' }, broken);
  }
  assert.equal(told.closed, 5);
});

test("the manifest of External Secrets' generator is a document, as JSON", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyless-node-'));
  mkdirSync(join(folder, 'openai-admin'));
  const { exchange } = minting('manifest');
  copyFileSync(exchange.admin_key.file, join(folder, 'openai-admin/api-key'));
  const manifest = {
    apiVersion: 'generators.external-secrets.io/v1alpha1',
    kind: 'OpenAI',
    metadata: { name: 'openai' },
    spec: {
      projectId: exchange.project_id,
      openAiAdminKey: { name: 'openai-admin', key: 'api-key' },
      host: exchange.host,
      serviceAccountNamePrefix: 'manifest',
    },
  };
  const provider = await open(manifest, { ...trusting, variables: { KEYLESS_SECRETS_DIR: folder } });
  t.after(() => provider.close());
  assert.equal(provider.plan.dialect, 'external-secrets');
  assert.deepEqual(provider.plan.requirements.files, [join(folder, 'openai-admin/api-key')]);
  const response = await provider.fetch(`${provider.baseURL}/models`);
  assert.equal(response.status, 200);
  await response.body.cancel();
  await provider.close();
  assert.deepEqual([(await accounts('manifest')).length, await alive('manifest')], [1, []]);
});
