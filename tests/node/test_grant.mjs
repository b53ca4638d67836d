// What is not granted does not happen: no connection is made, no file is read.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { beforeEach, test } from 'node:test';

import { open } from 'keyless-credentials';

import { OK, peer, write } from './peer.mjs';
import { about, combination, requests, reset, trusting } from './sandbox.mjs';

beforeEach(reset);

const document = about.documents.native;
const endpoint = { method: 'POST', url: about.token_endpoint };

async function refusal(t, given, options) {
  const provider = await open(given, { ...trusting, variables: {}, ...options });
  t.after(() => provider.close());
  return provider.token({ within: 2_000 }).then(
    () => assert.fail('a token'),
    ({ kind, code }) => ({ kind, code }),
  );
}

test('an endpoint that is not granted gets no connection', async (t) => {
  const server = await peer(t, write(OK));
  const here = JSON.parse(document);
  here.exchange.token_endpoint = `${server.url}/oauth/token`;
  const files = [about.token_file];
  for (const endpoints of [[], [endpoint], [{ method: 'GET', url: `${server.url}/oauth/token` }], [{ method: 'POST', url: `${server.url}/oauth` }]]) {
    assert.deepEqual(await refusal(t, here, { grant: { endpoints, files } }), { kind: 'denied', code: 'endpoint-denied' });
  }
  assert.equal(server.seen.connections, 0);
  const granted = { endpoints: [{ method: 'POST', url: `${server.url}/oauth/token` }], files };
  assert.equal((await refusal(t, here, { grant: granted })).kind, 'unavailable');
  assert.ok(server.seen.connections > 0);
});

test('a file that is not granted is not read', async (t) => {
  const before = await requests('exchange');
  for (const files of [[], [`${about.token_file}/`], [about.token_file.replace('/tokens/', '/tokens/./')]]) {
    assert.deepEqual(await refusal(t, document, { grant: { endpoints: [endpoint], files } }), { kind: 'denied', code: 'file-denied' });
  }
  assert.equal(await requests('exchange'), before);
});

test('a grant that can never be one', async () => {
  await assert.rejects(open(document, { grant: { endpoints: [{ method: 'POST', url: 'http://a.example/' }] } }), {
    code: 'grant-endpoint-insecure',
    kind: 'denied',
  });
  for (const grant of [{ files: about.token_file }, { files: 7 }, { endpoints: 'x' }, { endpoints: null }]) {
    await assert.rejects(open(document, { grant }), { code: 'grant-invalid', kind: 'invalid' });
  }
});

test('a client certificate, presented where it is granted', async (t) => {
  const { document: x509 } = combination('x509-openai');
  const provider = await open(x509, { ...trusting, variables: {} });
  t.after(() => provider.close());
  assert.match(await provider.token(), /\S{20,}/);
  const { endpoints, clientCertificate } = provider.plan.requirements;
  assert.deepEqual(await refusal(t, x509, { grant: { endpoints } }), { kind: 'identity', code: 'client-certificate' });
  const swapped = { certificateFile: clientCertificate.privateKeyFile, privateKeyFile: clientCertificate.certificateFile };
  assert.deepEqual(await refusal(t, x509, { grant: { endpoints, clientCertificate: swapped } }), {
    kind: 'identity',
    code: 'client-certificate',
  });
});

// A lock file, as the command writes it.
function locked(given, variables = {}) {
  const file = join(mkdtempSync(join(tmpdir(), 'keyless-node-')), 'keyless.lock');
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  execFileSync(process.env.KEYLESS, ['plan', '-c', text, '--lock', file], { env: { ...process.env, ...variables }, stdio: 'pipe' });
  return file;
}

test('a lock file of the command', async (t) => {
  for (const name of ['kubernetes-openai', 'x509-openai', 'aws-ec2-openai', 'variable-openai']) {
    const { document: given, variables } = combination(name);
    const lock = locked(given, variables);
    const provider = await open(given, { ...trusting, variables, lock });
    await provider.close();
    const [other, code] = [{ ...JSON.parse(document) }, 'grant-exceeded'];
    other.source.token_file_path = '/elsewhere/token';
    await assert.rejects(open(other, { ...trusting, variables: {}, lock }), { code, kind: 'denied' }, name);
  }
  const lock = locked(document);
  const moved = JSON.parse(document);
  moved.exchange.token_endpoint = 'https://elsewhere.example/oauth/token';
  await assert.rejects(open(moved, { lock }), /needs more than is granted: POST https:\/\/elsewhere\.example\/oauth\/token; if/);
  const { document: x509 } = combination('x509-openai');
  await assert.rejects(open(x509, { lock }), /the client certificate /);
  await assert.rejects(open(combination('variable-openai').document, { lock, variables: combination('variable-openai').variables }), /the variable KEYLESS_ID_TOKEN/);
  const good = await open(document, { ...trusting, lock });
  t.after(() => good.close());
  assert.match(await good.token(), /\S{20,}/);
});

test('what is no lock file', async () => {
  const lock = locked(document);
  const json = JSON.parse(readFileSync(lock, 'utf8'));
  for (const [content, code] of [
    ['', 'lock-invalid'],
    ['[]', 'lock-invalid'],
    ['{}', 'lock-version'],
    [JSON.stringify({ ...json, version: 2 }), 'lock-version'],
    [JSON.stringify({ ...json, files: undefined }), 'lock-invalid'],
    [JSON.stringify({ ...json, files: [1] }), 'lock-invalid'],
    [JSON.stringify({ ...json, more: 1 }), 'lock-invalid'],
    [JSON.stringify({ ...json, endpoints: [{ method: 'POST' }] }), 'lock-invalid'],
    [JSON.stringify({ ...json, endpoints: [{ method: 'POST', url: 'http://a.example/' }] }), 'grant-endpoint-insecure'],
    [JSON.stringify({ ...json, source: { path: 'x' } }), 'lock-invalid'],
    [JSON.stringify({ ...json, client_certificate: 'x' }), 'lock-invalid'],
  ]) {
    writeFileSync(lock, content);
    await assert.rejects(open(document, { lock }), { code }, content);
  }
  for (const other of [`${lock}.gone`, 0, {}]) {
    await assert.rejects(open(document, { lock: other }), { code: 'lock-invalid' });
  }
});

test('a function for the source `custom`', async (t) => {
  const given = JSON.parse(document);
  given.source = { type: 'custom', component: '/etc/keyless/mine.wasm', audience: 'https://api.openai.com/v1' };
  const asked = [];
  const source = async (audience, { signal }) => {
    asked.push([audience, signal instanceof AbortSignal]);
    return readFileSync(about.token_file, 'utf8').trim();
  };
  const provider = await open(given, { ...trusting, variables: {}, source });
  t.after(() => provider.close());
  assert.match(await provider.token(), /\S{20,}/);
  assert.deepEqual(asked, [['https://api.openai.com/v1', true]]);

  await assert.rejects(open(given, { variables: {} }), { code: 'custom-source-missing', kind: 'denied' });
  await assert.rejects(open(document, { variables: {}, source }), { code: 'source-unused', kind: 'invalid' });
  await assert.rejects(open(given, { variables: {}, source: 'text' }), { code: 'source-invalid', kind: 'invalid' });

  for (const [fails, words] of [
    [() => { throw new Error('the vault is sealed'); }, 'the vault is sealed'],
    [() => Promise.reject(new Error(`no: ${'x'.repeat(40)}`)), '[hidden]'],
    [() => 17, 'no text, but number'],
  ]) {
    const failing = await open(given, { ...trusting, variables: {}, source: fails });
    t.after(() => failing.close());
    await assert.rejects(failing.token(), (error) => error.code === 'token-not-given' && error.kind === 'identity' && error.message.includes(words));
  }
});

test('a function does not stand for a component that a lock file pins', async (t) => {
  const given = JSON.parse(document);
  given.source = { type: 'custom', component: '/etc/keyless/mine.wasm' };
  const source = () => readFileSync(about.token_file, 'utf8').trim();
  const lock = locked(document);
  const json = JSON.parse(readFileSync(lock, 'utf8'));
  json.files = [];
  json.source = { path: '/etc/keyless/mine.wasm', sha256: '00', endpoints: [], files: [], variables: [] };
  writeFileSync(lock, JSON.stringify(json));
  await assert.rejects(open(given, { variables: {}, source, lock }), { code: 'source-component-changed', kind: 'denied' });
  delete json.source.sha256;
  writeFileSync(lock, JSON.stringify(json));
  const provider = await open(given, { ...trusting, variables: {}, source, lock });
  t.after(() => provider.close());
  await provider.token();
  json.source.path = '/etc/keyless/other.wasm';
  writeFileSync(lock, JSON.stringify(json));
  await assert.rejects(open(given, { variables: {}, source, lock }), /the component \/etc\/keyless\/mine\.wasm/);
});
