// What `keyless conformance -- node conformance.mjs` speaks with: one JSON object a line on standard input, one answer a line
// on standard output, in order. Requests that name different connections are worked on at the same time.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { sha256 } from './component/about.js';
import * as encode from './conformance/encode.mjs';
import { replay } from './conformance/replay.mjs';
import { KeylessError, open } from './src/index.js';
import { calling } from './src/error.js';
import { loadMachine } from './src/machine.js';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
const sessions = await loadMachine();
const machine = sessions();
const providers = new Map();

const answers = {
  hello: () => ({ name: `keyless-credentials for Node ${version}`, component: sha256 }),
  plan: ({ document, variables }) => outcome(() => encode.plan(calling(() => machine.plan(document, variables)))),
  variables: ({ document }) => outcome(() => calling(() => machine.variables(document))),
  replay,
  open: ({ name, document, variables, grant, 'ca-file': ca }) =>
    outcome(async () => {
      const options = { variables: Object.fromEntries(variables) };
      if (grant !== null && grant !== undefined) {
        // The protocol's grant has no word for a client certificate: the one that is needed is presented.
        const { requirements } = calling(() => machine.plan(document, variables));
        options.grant = { ...grant, clientCertificate: requirements.clientCertificate };
      }
      if (ca !== null && ca !== undefined) {
        options.ca = ca;
      }
      providers.set(name, await open(document, options));
      return null;
    }),
  credential: ({ name }) => outcome(async () => encode.credential(await provider(name).credential())),
  together: ({ name, callers }) =>
    outcome(() =>
      Promise.all(
        Array.from({ length: callers }, async () => {
          const one = await outcome(async () => (await provider(name).credential()).generation);
          return 'ok' in one ? one.ok : one;
        }),
      ),
    ),
  renew: ({ name }) => outcome(async () => encode.credential(await provider(name).renewed())),
  reject: ({ name, generation }) =>
    outcome(() => {
      provider(name).reject(generation);
      return null;
    }),
  status: ({ name }) => outcome(() => encode.status(provider(name).status())),
  close: ({ name }) =>
    outcome(async () => {
      const closing = provider(name);
      providers.delete(name);
      await closing.close();
      return null;
    }),
};

function provider(name) {
  const found = providers.get(name);
  if (found === undefined) {
    throw new KeylessError('unavailable', 'connection-closed', 'no connection of this name is open');
  }
  return found;
}

async function outcome(work) {
  try {
    return { ok: await work() };
  } catch (thrown) {
    if (thrown instanceof KeylessError) {
      return { err: encode.error(thrown) };
    }
    throw thrown;
  }
}

// For each name the last request that was made of it: the next one waits for it.
const last = new Map();

// A line that is no request, or a fault of this program, is told, and the next line is read.
async function answer(line) {
  let key = 'nothing that is JSON';
  try {
    const [[named, request]] = Object.entries(JSON.parse(line));
    key = named;
    if (!Object.hasOwn(answers, key)) {
      return { unsupported: key };
    }
    const name = request?.name;
    const answering = Promise.resolve(last.get(name)).then(() => answers[key](request));
    if (name !== undefined) {
      last.set(name, answering.catch(() => {}));
    }
    return await answering;
  } catch (thrown) {
    return { unsupported: `${key}, which ended in ${thrown instanceof Error ? thrown.name : typeof thrown}` };
  }
}

async function print(answering) {
  if (!process.stdout.write(`${JSON.stringify(await answering)}\n`)) {
    await once(process.stdout, 'drain');
  }
}

// How many lines are read ahead of the answers.
const AHEAD = 64;
let ahead = 0;
let printed = Promise.resolve();

for await (const line of createInterface({ input: process.stdin })) {
  const answering = answer(line);
  ahead += 1;
  printed = printed.then(() => print(answering)).then(() => {
    ahead -= 1;
  });
  if (ahead >= AHEAD) {
    await printed;
  }
}
await printed;
