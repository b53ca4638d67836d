// Sending, against everything that servers do wrong.

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { after, test } from 'node:test';

import { inside } from './inside.mjs';
import { OK, peer, selfSigned, write } from './peer.mjs';

const { AllowList } = await inside('allow.js');
const { Network } = await inside('network.js');
const { Trust } = await inside('trust.js');

const open = [];
after(() => open.forEach((network) => network.close()));

function network(roots) {
  const made = new Network(new Trust(roots));
  open.push(made);
  return made;
}

// One request, with what a component would say about it.
function send(url, { timeoutMs = 5_000, headers = [], body = '', method = 'GET', through = network(), limit = 64 * 1024, signal } = {}) {
  const target = new AllowList([{ method, url: url.split('?')[0] }]).permits(method, url);
  const request = { id: 1n, method, url, headers, body: Buffer.from(body), timeoutMs, responseLimit: limit };
  return through.send(request, target, undefined, signal ?? new AbortController().signal);
}

const faultOf = async (...given) => (await send(...given)).val;

test('an answer is whole, and the request is what was asked for', async (t) => {
  const server = await peer(t, write('HTTP/1.1 200 OK\r\nX-Mixed: Case\r\ncontent-length: 2\r\n\r\nok'));
  const headers = [
    { name: 'content-type', value: 'application/json' },
    { name: 'content-length', value: '4' },
    { name: 'accept-encoding', value: 'gzip' },
  ];
  const answer = await send(`${server.url}/x?y=1`, { method: 'POST', headers, body: 'body' });
  assert.equal(answer.tag, 'ok');
  assert.equal(answer.val.status, 200);
  assert.equal(Buffer.from(answer.val.body).toString(), 'ok');
  assert.deepEqual(answer.val.headers[0], { name: 'x-mixed', value: 'Case' });
  const expected = [
    'POST /x?y=1 HTTP/1.1',
    'content-type: application/json',
    'content-length: 4',
    `Host: 127.0.0.1:${server.port}`,
    'Connection: keep-alive',
    '',
    'body',
  ];
  assert.equal(server.seen.heads.join(''), expected.join('\r\n'));
});

test('a redirect is an answer and nothing more', async (t) => {
  const elsewhere = await peer(t, write(OK));
  const server = await peer(t, write(`HTTP/1.1 307 X\r\nlocation: ${elsewhere.url}/\r\ncontent-length: 0\r\n\r\n`));
  assert.equal((await send(`${server.url}/`)).val.status, 307);
  assert.equal(elsewhere.seen.connections, 0);
});

test('compressed stays compressed', async (t) => {
  const server = await peer(t, write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd'));
  assert.equal(Buffer.from((await send(`${server.url}/`)).val.body).toString(), 'abcd');
});

test('a stall ends at the deadline, wherever it is', async (t) => {
  const started = performance.now();
  for (const beginning of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome']) {
    const server = await peer(t, write(beginning));
    assert.equal(await faultOf(`${server.url}/`, { timeoutMs: 150 }), 'timed-out', JSON.stringify(beginning));
  }
  // The longest that there is would be thirty seconds for the three.
  assert.ok(performance.now() - started < 15_000);
});

test('a drip does not stretch the deadline', async (t) => {
  const timers = [];
  const server = await peer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
    timers.push(setInterval(() => socket.write('.'), 10));
  });
  assert.equal(await faultOf(`${server.url}/`, { timeoutMs: 300 }), 'timed-out');
  timers.forEach(clearInterval);
});

test('a handshake that stalls ends at the deadline', async (t) => {
  const server = await peer(t, () => {});
  assert.equal(await faultOf(`https://127.0.0.1:${server.port}/`, { timeoutMs: 150 }), 'timed-out');
  assert.equal(server.seen.connections, 1);
});

test('too large, announced or not', async (t) => {
  const chunk = 'x'.repeat(1_000);
  const announced = await peer(t, write(`HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${chunk}`));
  assert.equal(await faultOf(`${announced.url}/`, { limit: 999 }), 'too-large');
  assert.equal((await send(`${announced.url}/`, { limit: 1_000 })).val.body.length, 1_000);
  const chunked = await peer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const more = () => !socket.destroyed && socket.write(`3e8\r\n${chunk}\r\n`, more);
    more();
  });
  assert.equal(await faultOf(`${chunked.url}/`, { limit: 2 ** 32 - 1 }), 'too-large');
});

test('a broken connection', async (t) => {
  for (const beginning of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab']) {
    const server = await peer(t, (socket) => socket.end(beginning));
    assert.equal(await faultOf(`${server.url}/`), 'broken', JSON.stringify(beginning));
  }
  for (const nonsense of ['SSH-2.0-x\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`]) {
    const server = await peer(t, write(nonsense));
    assert.equal(await faultOf(`${server.url}/`), 'broken', nonsense.slice(0, 20));
  }
});

test('nobody there', async (t) => {
  const gone = await peer(t, write(OK));
  await gone.close();
  assert.equal(await faultOf(`${gone.url}/`), 'unreachable');
  assert.equal(await faultOf('https://keyless-test.invalid/'), 'unresolved');
});

// The platform's resolver as it is told, until the test `t` ends.
function resolving(t, answer) {
  const { lookup } = dns;
  const restore = () => {
    dns.lookup = lookup;
    syncBuiltinESMExports();
  };
  t.after(restore);
  dns.lookup = (name, options, callback) => answer(callback, lookup);
  syncBuiltinESMExports();
  return restore;
}

test('plain http goes to this machine, whatever a name resolves to', async (t) => {
  const restore = resolving(t, (callback) => callback(null, [{ address: '192.0.2.1', family: 4 }, { address: '::ffff:127.0.0.1', family: 6 }]));
  assert.equal(await faultOf('http://metadata.google.internal/', { timeoutMs: 3_000 }), 'denied');
  restore();
  const server = await peer(t, write(OK));
  assert.equal((await send(`http://localhost:${server.port}/`)).tag, 'ok');
});

test('a metadata server that does not exist is given up after a second', async (t) => {
  resolving(t, () => {});
  // As whoever waits for a token would.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const started = performance.now();
  assert.equal(await faultOf('http://metadata.google.internal/', { timeoutMs: 9_000 }), 'timed-out');
  // Others may take five.
  assert.ok(performance.now() - started < 4_000);
});

test('a certificate that is not trusted, or for another name', async (t) => {
  const own = selfSigned();
  const server = await peer(t, write(OK), own);
  assert.equal(await faultOf(`${server.url}/`), 'untrusted');
  assert.deepEqual(server.seen.heads, []);
  assert.equal((await send(`${server.url}/`, { through: network([own.cert.toString()]) })).tag, 'ok');
  assert.equal((await send(`https://localhost:${server.port}/`, { through: network([own.cert.toString()]) })).tag, 'ok');
  const foreign = selfSigned('DNS:other.example,IP:127.0.0.2');
  const other = await peer(t, write(OK), foreign);
  for (const host of ['127.0.0.1', 'localhost']) {
    const through = network([foreign.cert.toString()]);
    assert.equal(await faultOf(`https://${host}:${other.port}/`, { through }), 'untrusted', host);
  }
  assert.deepEqual(other.seen.heads, []);
  const plain = await peer(t, (socket) => socket.end('HTTP/1.1 400 X\r\n\r\n'));
  assert.equal(await faultOf(`https://127.0.0.1:${plain.port}/`), 'untrusted');
});

test('verification cannot be switched off by the environment', async (t) => {
  const server = await peer(t, write(OK), selfSigned());
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    assert.equal(await faultOf(`${server.url}/`), 'untrusted');
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
});

test('proxies in the environment are not asked', async (t) => {
  const proxy = await peer(t, write(OK));
  const server = await peer(t, write(OK));
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
  names.forEach((name) => (process.env[name] = proxy.url));
  process.env.NODE_USE_ENV_PROXY = '1';
  try {
    assert.equal((await send(`${server.url}/`)).tag, 'ok');
  } finally {
    [...names, 'NODE_USE_ENV_PROXY'].forEach((name) => delete process.env[name]);
  }
  assert.equal(proxy.seen.connections, 0);
});

test('a connection is kept for the next request', async (t) => {
  const server = await peer(t, write(OK));
  const through = network();
  await send(`${server.url}/`, { through });
  await new Promise(setImmediate);
  await send(`${server.url}/`, { through });
  assert.deepEqual([server.seen.connections, server.seen.heads.length], [1, 2]);
});

test('the deadline of one request does not end the next on its connection', async (t) => {
  const server = await peer(t, (socket) => {
    const late = server.seen.heads.length === 2 ? 400 : 0;
    setTimeout(() => socket.write(OK), late);
  });
  const through = network();
  assert.equal((await send(`${server.url}/`, { through, timeoutMs: 300 })).tag, 'ok');
  await new Promise(setImmediate);
  assert.equal((await send(`${server.url}/`, { through })).tag, 'ok');
  assert.equal(server.seen.connections, 1);
});

test('what cannot be put on a wire is not sent', async (t) => {
  const server = await peer(t, write(OK));
  const headers = [{ name: 'x', value: 'a\r\nb: c' }];
  assert.equal(await faultOf(`${server.url}/`, { headers }), 'denied');
  assert.equal(server.seen.connections, 0);
});

test('a cancelled request ends', async (t) => {
  const server = await peer(t, write(''));
  const controller = new AbortController();
  const sending = send(`${server.url}/`, { signal: controller.signal });
  while (server.seen.heads.length === 0) {
    await new Promise(setImmediate);
  }
  controller.abort();
  assert.equal((await sending).val, 'broken');
});
