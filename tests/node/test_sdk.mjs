// The official clients, as their users would give them a provider.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { open } from 'keyless-credentials';

import { about, combination, fault, lifetime, noFaults, reset, revoke, trusting } from './sandbox.mjs';
import { until } from './until.mjs';

beforeEach(reset);

async function opened(t, document = about.documents.native) {
  const provider = await open(document, { ...trusting, variables: {} });
  t.after(() => provider.close());
  return provider;
}

const question = { model: 'sandbox-1', input: 'hello' };

async function streamed(client) {
  const pieces = [];
  for await (const event of await client.responses.create({ ...question, stream: true })) {
    pieces.push(event);
  }
  assert.equal(pieces.at(-1).type, 'response.completed');
  const deltas = pieces.filter(({ type }) => type === 'response.output_text.delta');
  assert.ok(deltas.length > 1);
}

// The two doors of OpenAI's client: a key that is asked for, and a fetch.
const clients = {
  'a function for the key': (provider) => new OpenAI({ apiKey: () => provider.token(), baseURL: provider.baseURL, maxRetries: 0 }),
  'the fetch': (provider) => new OpenAI({ apiKey: 'kept by Keyless', baseURL: provider.baseURL, fetch: provider.fetch, maxRetries: 0 }),
};

for (const [door, client] of Object.entries(clients)) {
  test(`OpenAI by ${door}: models, an answer, a stream`, async (t) => {
    const openai = client(await opened(t));
    assert.ok((await openai.models.list()).data.length > 0);
    assert.match((await openai.responses.create(question)).output_text, /\S/);
    await streamed(openai);
  });

  test(`OpenAI by ${door}: a rotation under load, an outage between`, async (t) => {
    await lifetime(6);
    const provider = await opened(t);
    const openai = client(provider);
    await streamed(openai);
    await fault('exchange', { kind: 'status', status: 503 });
    await until('a failed renewal', async () => {
      assert.ok((await openai.models.list()).data.length > 0);
      return provider.status().failures > 0;
    });
    await noFaults();
    await until('two renewals', async () => {
      await Promise.all([openai.models.list(), streamed(openai)]);
      return provider.status().renewals > 2;
    });
  });
}

test('OpenAI by the fetch: a revoked token is replaced under the request', async (t) => {
  const provider = await opened(t);
  const openai = clients['the fetch'](provider);
  await openai.models.list();
  await revoke();
  await streamed(openai);
  assert.equal(provider.current().generation, 2);
});

const message = { model: 'sandbox-1', max_tokens: 64, messages: [{ role: 'user', content: 'hello' }] };

const anthropics = {
  'the credentials': (provider) => new Anthropic({ baseURL: provider.baseURL, credentials: provider.accessToken, maxRetries: 1 }),
  'the fetch': (provider) => new Anthropic({ baseURL: provider.baseURL, authToken: 'kept by Keyless', fetch: provider.fetch, maxRetries: 0 }),
};

for (const [door, client] of Object.entries(anthropics)) {
  test(`Anthropic by ${door}: a message, a stream, a rotation, a revocation`, async (t) => {
    await lifetime(4);
    const { document } = combination('kubernetes-anthropic');
    const provider = await opened(t, document);
    const anthropic = client(provider);
    assert.match((await anthropic.messages.create(message)).content[0].text, /\S/);
    const stream = anthropic.messages.stream(message);
    let pieces = 0;
    stream.on('text', () => (pieces += 1));
    assert.match((await stream.finalMessage()).content[0].text, /\S/);
    assert.ok(pieces > 1);
    await until('a rotation', async () => {
      await anthropic.messages.create(message);
      return provider.current()?.generation > 1;
    });
    await lifetime(3600);
    const before = (await until('a long life', () => provider.current()?.expiresAt > Date.now() + 60_000 && provider.current())).generation;
    await revoke();
    await anthropic.messages.create(message);
    assert.equal(provider.current().generation, before + 1);
  });
}
