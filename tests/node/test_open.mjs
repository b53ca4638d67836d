// Which document is meant, and what is handed over for it.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';

import { KeylessError, open } from 'keyless-credentials';

import { about, reset, rotateToken, trusting } from './sandbox.mjs';

beforeEach(reset);

const exchange = { identity_provider_id: 'idp_sandbox', service_account_id: 'svc_acct_sandbox' };

// Opens, takes a token, closes; what the provider was like.
async function served(t, document, options) {
  const provider = await open(document, { ...trusting, variables: {}, ...options });
  t.after(() => provider.close());
  assert.match(await provider.token(), /\S{20,}/);
  return provider;
}

test('every dialect', async (t) => {
  const { native, airflow_uri, airflow_json, airflow_json_text_extra, native_static } = about.documents;
  const expected = [
    [native, 'native'],
    [JSON.parse(native), 'native'],
    [airflow_uri, 'airflow-uri'],
    [airflow_json, 'airflow-json'],
    [JSON.parse(airflow_json), 'airflow-json'],
    [airflow_json_text_extra, 'airflow-json'],
    [native_static, 'native'],
  ];
  for (const [document, dialect] of expected) {
    const provider = await served(t, document);
    assert.equal(provider.plan.dialect, dialect);
    assert.equal(provider.baseURL, about.base_url);
    assert.equal((await provider.credential()).baseURL, about.base_url);
  }
});

test('every pair of source and exchange that needs no other network', async (t) => {
  let count = 0;
  for (const [name, { document, variables, connect_to }] of Object.entries(about.documents.combinations)) {
    if (connect_to.length === 0) {
      await t.test(name, async (t) => served(t, document, { variables }));
      count += 1;
    }
  }
  assert.ok(count >= 30, `${count}`);
});

test('without a document: the order of the command', async (t) => {
  const [source, target] = [{ type: 'file', token_file_path: about.token_file }, about.documents.native];
  const keyless = JSON.stringify({ source, exchange: { ...exchange, token_endpoint: about.token_endpoint }, api: { base_url: about.base_url } });
  const file = join(mkdtempSync(join(tmpdir(), 'keyless-node-')), 'connection.json');
  writeFileSync(file, target);
  const key = { OPENAI_API_KEY: 'sk-xxxxxxxxxxxxxxxxxxxxxxxx', OPENAI_BASE_URL: about.base_url };
  const airflow = { AIRFLOW_CONN_OPENAI_DEFAULT: about.documents.airflow_uri };
  for (const [variables, dialect] of [
    [{ ...key, ...airflow, KEYLESS_CONNECTION: keyless }, 'native'],
    [{ ...key, ...airflow, KEYLESS_CONNECTION: `@${file}` }, 'native'],
    [{ ...key, ...airflow, KEYLESS_CONNECTION: ' ' }, 'airflow-uri'],
    [key, 'environment'],
  ]) {
    assert.equal((await served(t, undefined, { variables })).plan.dialect, dialect);
  }
  await served(t, `@${file}`);
  await assert.rejects(open(undefined, { variables: {} }), { code: 'connection-missing', kind: 'invalid' });
});

test('the workload identity variables of OpenAI', async () => {
  const variables = {
    OPENAI_IDENTITY_PROVIDER_ID: 'idp_sandbox',
    OPENAI_SERVICE_ACCOUNT_ID: 'svc_acct_sandbox',
    OPENAI_IDENTITY_TOKEN_FILE: about.token_file,
    UNRELATED: 'canary-unrelated',
  };
  // Their token endpoint is OpenAI's, which is not reached: nothing is granted.
  const provider = await open({ environment: 'openai' }, { variables, grant: {} });
  assert.equal(provider.plan.requirements.endpoints[0].url, 'https://auth.openai.com/oauth/token');
  await assert.rejects(provider.token(), { code: 'file-denied', kind: 'denied' });
  await provider.close();
});

test('a variable that is no text', async () => {
  await assert.rejects(open({ api_key: { variable: 'KEY' } }, { variables: { KEY: 17 } }), { code: 'variable-not-unicode', kind: 'invalid' });
});

test('what is no document is told, and not quoted', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'keyless-node-')), 'large.json');
  writeFileSync(file, ' '.repeat(65 * 1024));
  for (const [document, code] of [
    ['sk-canary-canary-canary-canary', 'connection-form'],
    ['-', 'connection-form'],
    [17, 'connection-form'],
    [{ api_key: 1n }, 'connection-form'],
    ['', 'connection-form'],
    ['{"canary', 'document-syntax'],
    [{}, 'field-missing'],
    [`@${file}`, 'document-too-large'],
    ['@/nonexistent/canary.json', 'connection-file'],
  ]) {
    await assert.rejects(open(document, { variables: {} }), (error) => {
      assert.ok(error instanceof KeylessError);
      assert.equal(error.code, code);
      assert.equal(error.kind, 'invalid');
      assert.ok(!error.message.includes('canary'), error.message);
      return true;
    });
  }
});

test('strictness refuses a token for a control plane', async (t) => {
  await rotateToken({ audience: ['https://kubernetes.default.svc'] });
  t.after(() => rotateToken({}));
  for (const [options, code] of [
    [{ strict: true }, 'token-for-a-control-plane'],
    [{ variables: { KEYLESS_STRICT: 'true' } }, 'token-for-a-control-plane'],
    [{ strict: false, variables: { KEYLESS_STRICT: 'true' } }, 'exchange-refused'],
    [{ variables: { KEYLESS_STRICT: 'no' } }, 'exchange-refused'],
  ]) {
    const provider = await open(about.documents.native, { ...trusting, variables: {}, ...options });
    t.after(() => provider.close());
    await assert.rejects(provider.token(), { code }, JSON.stringify(options));
  }
});

test('certificates to trust: text, a file, and nonsense', async (t) => {
  const { readFile } = await import('node:fs/promises');
  await served(t, about.documents.native, { ca: await readFile(about.ca_file, 'utf8') });
  const without = await open(about.documents.native, { variables: {} });
  t.after(() => without.close());
  // NODE_EXTRA_CA_CERTS names it, too.
  assert.match(await without.token(), /\S{20,}/);
  for (const ca of [0, '/nonexistent/ca.pem', about.token_file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']) {
    await assert.rejects(open(about.documents.native, { ca }), { code: 'ca-certificates-invalid', kind: 'invalid' });
  }
});
