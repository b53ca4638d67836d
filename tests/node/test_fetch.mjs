// The authorised `fetch`.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { beforeEach, test } from 'node:test';

import { open } from 'keyless-credentials';

import { about, lifetime, requests, reset, revoke, trusting } from './sandbox.mjs';

beforeEach(reset);

// An API on loopback that says what it got, and a provider for it. `answers` gives the status, by the number of the request.
async function api(t, answers, prefix = '/v1') {
  const got = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) {
      body += piece;
    }
    got.push({ url: request.url, method: request.method, headers: request.headers, body });
    const status = answers(got.length);
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:9/' } : {});
    response.end('answer');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const document = JSON.parse(about.documents.native);
  document.api.base_url = `http://127.0.0.1:${server.address().port}${prefix}`;
  const provider = await open(document, { ...trusting, variables: {} });
  t.after(() => provider.close());
  return { provider, got, base: document.api.base_url };
}

test('sets the headers and passes the rest on', async (t) => {
  const { provider, got, base } = await api(t, () => 200);
  const response = await provider.fetch(`${base}/x?y=1`, {
    method: 'POST',
    headers: { Authorization: 'Bearer other', 'X-Mine': 'mine' },
    body: 'body',
  });
  assert.equal(await response.text(), 'answer');
  const { token } = provider.current();
  assert.equal(got[0].headers.authorization, `Bearer ${token}`);
  assert.equal(got[0].headers['x-mine'], 'mine');
  assert.deepEqual([got[0].url, got[0].method, got[0].body], ['/v1/x?y=1', 'POST', 'body']);
  await provider.fetch(new Request(`${base}/r`, { method: 'PUT', headers: { 'x-two': '2' }, body: 'more' }));
  assert.deepEqual([got[1].method, got[1].headers['x-two'], got[1].body], ['PUT', '2', 'more']);
  assert.equal(got[1].headers.authorization, `Bearer ${token}`);
  await provider.fetch(new URL(base));
  assert.equal(got.length, 3);
});

test('a credential goes nowhere else', async (t) => {
  const { provider, got, base } = await api(t, () => 200);
  const origin = new URL(base).origin;
  for (const url of [
    'https://elsewhere.example/v1/x',
    base.replace('http:', 'https:'),
    base.replace('127.0.0.1', 'localhost'),
    `${origin}/v2/x`,
    `${origin}/v10/x`,
    `${base}/../v2`,
    `${base}/%2e%2e/v2`,
    `${base}\\..\\..\\v2`,
    base.replace('//', '//user:secret@'),
  ]) {
    await assert.rejects(provider.fetch(url), { kind: 'invalid', code: 'request-elsewhere' }, url);
    await assert.rejects(provider.fetch(new Request('https://elsewhere.example/v1')), { code: 'request-elsewhere' });
  }
  assert.equal(got.length, 0);
});

test('no redirect is followed', async (t) => {
  const { provider, got, base } = await api(t, () => 302);
  const response = await provider.fetch(`${base}/x`, { redirect: 'follow' });
  assert.equal(response.status, 302);
  assert.equal(got.length, 1);
});

test('a 401 is answered with one renewal and one more request', async (t) => {
  const bodies = [undefined, 'text', Buffer.from('text'), new Blob(['text']), new URLSearchParams('a=text')];
  for (const body of bodies) {
    const { provider, got, base } = await api(t, (number) => (number === 1 ? 401 : 200));
    const first = await provider.credential();
    const response = await provider.fetch(`${base}/x`, { method: body === undefined ? 'GET' : 'POST', body });
    assert.equal(response.status, 200);
    assert.equal(got.length, 2);
    assert.equal(provider.current().generation, first.generation + 1);
    assert.equal(got[1].headers.authorization, `Bearer ${provider.current().token}`);
    assert.equal(got[0].body, got[1].body);
  }
});

test('an API that always answers 401 gets two requests', async (t) => {
  const before = await requests('exchange');
  const { provider, got, base } = await api(t, () => 401);
  const response = await provider.fetch(`${base}/x`, { method: 'POST', body: 'text' });
  assert.equal(response.status, 401);
  assert.equal(got.length, 2);
  // Within thirty seconds no further renewal is forced: the answer is the API's.
  assert.equal((await provider.fetch(`${base}/x`)).status, 401);
  assert.equal(got.length, 3);
  assert.equal(await requests('exchange'), before + 2);
});

test('a stream is not sent twice', async (t) => {
  const stream = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('piece'));
        controller.close();
      },
    });
  for (const init of [(base) => [`${base}/x`, { method: 'POST', body: stream(), duplex: 'half' }], (base) => [new Request(`${base}/x`, { method: 'POST', body: 'text' })]]) {
    const { provider, got, base } = await api(t, () => 401);
    assert.equal((await provider.fetch(...init(base))).status, 401);
    assert.equal(got.length, 1);
    // The next request has a new credential all the same.
    assert.equal((await provider.credential()).generation, 2);
  }
});

test('waiting ends with the signal of the request', async (t) => {
  const { provider, base } = await api(t, () => 200);
  await assert.rejects(provider.fetch(`${base}/x`, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});

test('another fetch beneath', async (t) => {
  const document = JSON.parse(about.documents.native);
  const seen = [];
  const beneath = async (input, init) => {
    seen.push([String(input), init.headers.get('authorization'), init.redirect]);
    return new Response('mine');
  };
  const provider = await open(document, { ...trusting, variables: {}, fetch: beneath });
  t.after(() => provider.close());
  assert.equal(await (await provider.fetch(`${provider.baseURL}/x`)).text(), 'mine');
  assert.deepEqual(seen, [[`${provider.baseURL}/x`, `Bearer ${provider.current().token}`, 'manual']]);
});

test('64 requests at once with a revoked token: one exchange, no error', async (t) => {
  await lifetime(3600);
  const provider = await open(about.documents.native, { ...trusting, variables: {} });
  t.after(() => provider.close());
  await provider.credential();
  const before = await requests('exchange');
  await revoke();
  const answers = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const response = await provider.fetch(`${provider.baseURL}/models`);
      await response.body.cancel();
      return response.status;
    }),
  );
  assert.deepEqual([...new Set(answers)], [200]);
  assert.equal(await requests('exchange'), before + 1);
});
