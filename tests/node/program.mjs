// Programs of users, each in a process of its own.

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

// Runs text as a module that can import what is installed here. Ends it after `patience` milliseconds, which is a failure.
export function run(text, { env = {}, patience = 60_000, name = 'program.mjs' } = {}) {
  const file = join(mkdtempSync(join(here, 'node_modules/.program-')), name);
  writeFileSync(file, text);
  const child = spawn(process.execPath, [file], { cwd: here, env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
