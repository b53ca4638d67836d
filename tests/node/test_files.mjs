// Reading files.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { inside } from './inside.mjs';

const { readWhole } = await inside('files.js');
const folder = mkdtempSync(join(tmpdir(), 'keyless-node-'));
const text = async (path, limit = 100) => Buffer.from((await readWhole(path, limit)).val).toString();
const fault = async (path, limit = 100) => (await readWhole(path, limit)).val;

test('a whole file, up to the limit', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'x'.repeat(100));
  assert.equal((await text(file)).length, 100);
  assert.equal(await fault(file, 99), 'too-large');
  writeFileSync(file, '');
  assert.equal(await text(file), '');
  assert.equal(await fault('/dev/zero'), 'not-a-file');
});

test('what is no file', async () => {
  assert.equal(await fault(join(folder, 'missing')), 'missing');
  assert.equal(await fault(join(folder, 'file', 'below')), 'missing');
  assert.equal(await fault(folder), 'not-a-file');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.equal(await fault(pipe), 'not-a-file');
  assert.equal(await fault('a\0b'), 'failed');
  symlinkSync('loop', join(folder, 'loop'));
  assert.equal(await fault(join(folder, 'loop')), 'failed');
});

test('a swapped volume is read anew', async () => {
  for (const [name, content] of [['..1', 'old'], ['..2', 'new']]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'token'), content);
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/token', join(folder, 'token'));
  assert.equal(await text(join(folder, 'token')), 'old');
  symlinkSync('..2', join(folder, '..tmp'));
  renameSync(join(folder, '..tmp'), join(folder, '..data'));
  assert.equal(await text(join(folder, 'token')), 'new');
});
