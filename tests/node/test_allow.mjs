// Which requests may leave: the cases of the Rust host, and their answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inside } from './inside.mjs';

const { AllowList, isNextHop } = await inside('allow.js');

const list = (...endpoints) => new AllowList(endpoints.map(([method, url]) => ({ method, url })));
const permits = (allowed, method, url) => allowed.permits(method, url) !== undefined;

test('exactly the granted method and URL', () => {
  const allowed = list(['POST', 'https://auth.openai.com/oauth/token']);
  for (const url of [
    'https://auth.openai.com/oauth/token',
    'https://AUTH.openai.com/oauth/token',
    'https://auth.openai.com:443/oauth/token',
    'https://auth.openai.com/oauth/token?x=1',
  ]) {
    assert.ok(permits(allowed, 'POST', url), url);
  }
  for (const url of [
    'http://auth.openai.com/oauth/token',
    'https://auth.openai.com:444/oauth/token',
    'https://auth.openai.com./oauth/token',
    'https://auth.openai.com.evil.example/oauth/token',
    'https://evil.example/oauth/token',
    'https://auth.openai.com@evil.example/oauth/token',
    'https://user:secret@auth.openai.com/oauth/token',
    'https://auth.openai.com/oauth/token/',
    'https://auth.openai.com/oauth/Token',
    'https://auth.openai.com/oauth/%74oken',
    'https://auth.openai.com/x/../oauth/token',
    'https://auth.openai.com//oauth/token',
    'https://auth.openai.com/oauth',
    'https://auth.openai.com',
    'https://auth.openai.com:/oauth/token',
    'https://auth.openai.com:65979/oauth/token',
    'https://auth.openai.com\\@evil.example/oauth/token',
    'https://auth.openai.com/oauth/token\r\nx: y',
    'https://auth.openai.com/oauth/token?a b',
    '/oauth/token',
    '',
  ]) {
    assert.ok(!permits(allowed, 'POST', url), url);
  }
  for (const method of ['GET', 'PUT', 'post', 'DELETE']) {
    assert.ok(!permits(allowed, method, 'https://auth.openai.com/oauth/token'), method);
  }
});

test('a star at the end is one segment', () => {
  const allowed = list(['GET', 'http://169.254.169.254/latest/roles/*']);
  for (const name of ['my-role', 'a_b+c=d,e.f@g-h', '...']) {
    assert.ok(permits(allowed, 'GET', `http://169.254.169.254/latest/roles/${name}`), name);
  }
  for (const name of ['', 'a/b', 'a/', '/a', '.', '..', '../x', '%2e%2e', 'a%2fb', 'a;b', '**']) {
    assert.ok(!permits(allowed, 'GET', `http://169.254.169.254/latest/roles/${name}`), name);
  }
  assert.ok(!permits(allowed, 'GET', 'http://169.254.169.254/latest/roles'));
  assert.ok(!permits(allowed, 'PUT', 'http://169.254.169.254/latest/roles/x'));
  assert.ok(!permits(allowed, 'GET', 'http://169.254.170.2/latest/roles/x'));
  assert.ok(allowed.covers({ method: 'GET', url: 'http://169.254.169.254/latest/roles/*' }));
  assert.ok(!allowed.covers({ method: 'GET', url: 'http://169.254.169.254/latest/roles/x' }));
});

test('a grant is read in any spelling', () => {
  const allowed = list(['GET', 'http://[FD00:EC2::254]:80/a/./b/../c'], ['POST', 'HTTPS://A.Example:443']);
  assert.ok(permits(allowed, 'GET', 'http://[fd00:ec2::254]/a/c'));
  assert.ok(permits(allowed, 'POST', 'https://a.example/'));
  assert.ok(allowed.covers({ method: 'POST', url: 'https://a.example/' }));
  assert.ok(!allowed.covers({ method: 'GET', url: 'https://a.example/' }));
});

test('plain http stays on the machine or at the cloud metadata', () => {
  for (const url of [
    'http://localhost:8080/x',
    'http://127.0.0.1/x',
    'http://127.9.9.9/x',
    'http://[::1]:1/x',
    'http://169.254.169.254/latest/api/token',
    'http://metadata.google.internal/x',
    'http://169.254.170.2/x',
    'http://169.254.170.23/x',
    'http://169.254.130.4:8081/msi/token',
    'http://[fd00:ec2::23]/x',
    'http://[fd00:ec2::254]/x',
    'http://2130706433/x',
  ]) {
    assert.doesNotThrow(() => list(['GET', url]), url);
  }
  for (const url of [
    'http://auth.openai.com/oauth/token',
    'http://10.0.0.1/x',
    'http://169.253.1.1/x',
    'http://localhost.evil.example/x',
    'http://metadata.google.internal.evil.example/x',
    'http://0.0.0.0/x',
    'http://[::ffff:10.0.0.1]/x',
    'http://[::ffff:127.0.0.1]/x',
  ]) {
    assert.throws(() => list(['GET', url]), { code: 'grant-endpoint-insecure', kind: 'denied' }, url);
  }
});

test('what is no endpoint is refused', () => {
  for (const [method, url] of [
    ['', 'https://a.example/'],
    ['post', 'https://a.example/'],
    ['POST', 'a.example/x'],
    ['POST', 'ftp://a.example/x'],
    ['POST', 'file:///etc/passwd'],
    ['POST', 'https://u@a.example/x'],
    ['POST', 'https://u:p@a.example/x'],
    ['POST', 'https://a.example/x?y'],
    ['POST', 'https://a.example/x?'],
    ['POST', 'https://a.example/x#y'],
    ['POST', 'https://'],
    ['POST', undefined],
    [undefined, 'https://a.example/'],
  ]) {
    assert.throws(() => list([method, url]), { code: 'grant-endpoint-invalid' }, `${method} ${url}`);
  }
});

test('where a second is enough to connect', () => {
  for (const host of ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', 'metadata.google.internal']) {
    assert.ok(isNextHop(host), host);
  }
  for (const host of ['127.0.0.1', '::1', 'localhost', 'a.example', '10.0.0.1', 'fd00:ec2::253']) {
    assert.ok(!isNextHop(host), host);
  }
});

test('nothing is granted by nothing', () => {
  assert.ok(!permits(list(), 'GET', 'https://a.example/'));
});
