// The driver for `keyless conformance`: its answers, line by line.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { about, combination, requests, reset } from './sandbox.mjs';

beforeEach(reset);

const program = fileURLToPath(new URL('node_modules/keyless-credentials/conformance.mjs', import.meta.url));
const document = about.documents.native;

// The driver in a process of its own, and how to ask it.
function driver(t) {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill());
  let stderr = '';
  child.stderr.on('data', (data) => (stderr += data));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (request) => child.stdin.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\n`);
  const hear = async () => (await lines.next()).value;
  return {
    tell,
    hear,
    line: (request) => (tell(request), hear()),
    ask: async (request) => (tell(request), JSON.parse(await hear())),
    async end() {
      child.stdin.end();
      const [code] = await once(child, 'close');
      assert.deepEqual([code, stderr], [0, '']);
    },
  };
}

test('what needs no connection', async (t) => {
  const { ask, line, end } = driver(t);
  const { name, component } = await ask({ hello: null });
  assert.equal(name, 'keyless-credentials for Node 0.1.0');
  assert.match(component, /^[0-9a-f]{64}$/);
  assert.deepEqual((await ask({ variables: { document: '{"api_key":{"variable":"A"}}' } })).ok, ['A']);
  assert.equal(
    await line({ plan: { document: '{"api_key":"sk-xxxxxxxxxxxxxxxxxxxx"}', variables: [] } }),
    '{"ok":{"dialect":"native","settings":[{"name":"auth_type","value":"api_key","origin":"document"},{"name":"api_key","value":"secret, 23 characters","origin":"document"},{"name":"api.base_url","value":"https://api.openai.com/v1","origin":"default"}],"warnings":[],"requirements":{"endpoints":[],"files":[],"variables":[],"client-certificate":null,"source-component":null}}}',
  );
  assert.equal((await ask({ plan: { document: '{', variables: [] } })).err.invalid['retry-after-ms'], null);
  const x509 = await ask({ plan: { document: combination('x509-openai').document, variables: [] } });
  assert.deepEqual(Object.keys(x509.ok.requirements['client-certificate']), ['certificate-file', 'private-key-file']);
  assert.equal(await line({ nonsense: 1 }), '{"unsupported":"nonsense"}');
  assert.match(await line('no JSON'), /^\{"unsupported":/);
  assert.match(await line('{"plan":null}'), /^\{"unsupported":/);
  await end();
});

test('a replay, to the byte and the same each time', async (t) => {
  const { ask, line, end } = driver(t);
  const now = (ms) => ({ 'wall-ms': 1_700_000_000_000 + ms, 'monotonic-ms': 5 + ms });
  const jwt = [{ alg: 'ES256' }, { exp: 1_700_003_600, aud: 'x' }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const token = Buffer.from(`${jwt.join('.')}.c2ln`).toString('base64');
  const body = Buffer.from(JSON.stringify({ access_token: 'granted-granted-granted', token_type: 'Bearer', expires_in: 600 })).toString('base64');
  const steps = [
    { now: now(0), event: 'tick' },
    { now: now(1), event: { file: [1, { ok: token }] } },
    { now: now(2), event: { response: [2, { ok: { status: 200, headers: [{ name: 'content-type', value: 'application/json' }], body } }] } },
    { now: now(3), event: { reject: 1 } },
    { now: now(4), event: 'tick' },
    { now: now(2_000), event: 'tick' },
    { now: now(2_001), event: { file: [3, { err: 'missing' }] } },
  ];
  const request = { replay: { document, variables: [], steps } };
  const first = await line(request);
  assert.equal(await line(request), first);
  const { open, decisions } = JSON.parse(first);
  assert.deepEqual(open, { ok: null });
  assert.equal(decisions.length, steps.length);
  assert.deepEqual(Object.keys(decisions[0]), ['effects', 'credential', 'wake-at', 'busy', 'status']);
  assert.deepEqual(decisions[0].effects, [{ 'read-file': { id: 1, path: about.token_file, limit: 16_384 } }]);
  const { send } = decisions[1].effects[0];
  assert.deepEqual(Object.keys(send), ['id', 'method', 'url', 'headers', 'body', 'timeout-ms', 'response-limit']);
  assert.equal(JSON.parse(Buffer.from(send.body, 'base64')).identity_provider_id, 'idp_sandbox');
  assert.deepEqual(decisions[2].credential.ok.headers, [{ name: 'authorization', value: 'Bearer granted-granted-granted' }]);
  assert.equal(decisions[2].status.phase, 'fresh');
  assert.equal(decisions[3].credential.ok, null);
  assert.equal((await ask({ replay: { document: '{', variables: [], steps: [] } })).open.err.invalid.code, 'document-syntax');
  await end();
});

test('the events of a source of one’s own', async (t) => {
  const { ask, end } = driver(t);
  const given = JSON.stringify({ ...JSON.parse(document), source: { type: 'custom', component: 'x.wasm', audience: 'y' } });
  const now = { 'wall-ms': 1_700_000_000_000, 'monotonic-ms': 5 };
  for (const [err, code] of [['absent', 'custom-source-missing'], [{ failed: 'sealed' }, 'token-not-given']]) {
    const steps = [{ now, event: 'tick' }, { now, event: { source: [1, { err }] } }];
    const { decisions } = await ask({ replay: { document: given, variables: [], steps } });
    assert.deepEqual(decisions[0].effects, [{ 'ask-source': { id: 1, audience: 'y' } }]);
    assert.equal(Object.values(decisions[1].status['last-error'])[0].code, code);
  }
  await end();
});

test('a connection', async (t) => {
  const { ask, tell, hear, end } = driver(t);
  const before = await requests('exchange');
  assert.deepEqual(await ask({ open: { name: 'a', document, variables: [], grant: null, 'ca-file': about.ca_file } }), { ok: null });
  const generations = Array.from({ length: 16 }, () => 1);
  assert.deepEqual(await ask({ together: { name: 'a', callers: 16 } }), { ok: generations });
  const { ok } = await ask({ credential: { name: 'a' } });
  assert.deepEqual(Object.keys(ok), ['headers', 'base-url', 'generation', 'renew-at', 'expires-at']);
  assert.deepEqual(await ask({ reject: { name: 'a', generation: 1 } }), { ok: null });
  assert.equal((await ask({ renew: { name: 'a' } })).ok.generation, 2);
  const { ok: status } = await ask({ status: { name: 'a' } });
  assert.deepEqual([status.phase, status.renewals, status['failures-in-a-row'], status['last-error']], ['fresh', 2, 0, null]);
  assert.equal(await requests('exchange'), before + 2);
  assert.deepEqual(await ask({ close: { name: 'a' } }), { ok: null });
  assert.equal((await ask({ credential: { name: 'a' } })).err.unavailable.code, 'connection-closed');

  // Read ahead, answered in order; what is asked of one connection happens in order, too.
  const denied = { endpoints: [], files: [about.token_file] };
  tell({ open: { name: 'b', document, variables: [], grant: denied, 'ca-file': about.ca_file } });
  tell({ credential: { name: 'b' } });
  tell({ open: { name: 'c', document: combination('x509-openai').document, variables: [], grant: null, 'ca-file': about.ca_file } });
  tell({ credential: { name: 'c' } });
  tell({ open: { name: 'd', document: '{', variables: [], grant: null, 'ca-file': null } });
  const answers = [];
  for (let count = 0; count < 5; count += 1) {
    answers.push(JSON.parse(await hear()));
  }
  assert.deepEqual(answers[0], { ok: null });
  assert.equal(answers[1].err.denied.code, 'endpoint-denied');
  assert.deepEqual(answers[2], { ok: null });
  assert.equal(answers[3].ok.generation, 1);
  assert.equal(answers[4].err.invalid.code, 'document-syntax');
  await end();
});
