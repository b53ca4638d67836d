// Speed, each figure beside a peer of the same run: what a cached read costs, and how long the first token of a process takes.
// The peers are the raw call of the component through the bindings of jco, and the official clients' own workload identity.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { WorkloadIdentityAuth } from 'openai/auth/workload-identity-auth';
import { k8sServiceAccountTokenProvider } from 'openai/auth';
import { open } from 'keyless-credentials';

import { inside } from './inside.mjs';
import { about, trusting } from './sandbox.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

// Nanoseconds for one call, the median of nine rounds.
async function cost(call, rounds = 9, calls = 100_000) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    await call(calls);
    times.push(((performance.now() - started) * 1e6) / calls);
  }
  return median(times);
}

const provider = await open(about.documents.native, trusting);
await provider.token();

const { loadMachine } = await inside('machine.js');
const session = (await loadMachine())().open('{"api_key":"sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', []);
const now = { wallMs: BigInt(Date.now()), monotonicMs: 5n };

const identity = { identityProviderId: 'idp_sandbox', serviceAccountId: 'svc_acct_sandbox', provider: k8sServiceAccountTokenProvider(about.token_file) };
const official = new WorkloadIdentityAuth(identity);
official.tokenExchangeUrl = about.token_endpoint;
await official.getToken();

const cached = {
  'current()': await cost((calls) => {
    for (let n = 0; n < calls; n += 1) provider.current();
  }),
  'await token()': await cost(async (calls) => {
    for (let n = 0; n < calls; n += 1) await provider.token();
  }),
  'await credential()': await cost(async (calls) => {
    for (let n = 0; n < calls; n += 1) await provider.credential();
  }),
  "OpenAI's client: await getToken()": await cost(async (calls) => {
    for (let n = 0; n < calls; n += 1) await official.getToken();
  }),
  'the component through jco: credential(now)': await cost((calls) => {
    for (let n = 0; n < calls; n += 1) session.credential(now);
  }, 9, 5_000),
};

console.log('cached read, nanoseconds');
const against = cached["OpenAI's client: await getToken()"];
for (const [what, ns] of Object.entries(cached)) {
  console.log(`  ${what.padEnd(44)} ${ns.toFixed(0).padStart(8)}   ${(ns / against).toFixed(2)} of OpenAI's client`);
}

// From the start of the process to the first token, each program in turn. The client has no setting for the endpoint.
const programs = {
  'Keyless for Node': `
    import { open } from 'keyless-credentials';
    const provider = await open(process.env.DOCUMENT);
    if (!(await provider.token())) process.exit(1);
  `,
  "OpenAI's client": `
    import { k8sServiceAccountTokenProvider } from 'openai/auth';
    import { WorkloadIdentityAuth } from 'openai/auth/workload-identity-auth';
    const provider = k8sServiceAccountTokenProvider(process.env.TOKEN_FILE);
    const auth = new WorkloadIdentityAuth({ identityProviderId: 'idp_sandbox', serviceAccountId: 'svc_acct_sandbox', provider });
    auth.tokenExchangeUrl = process.env.TOKEN_ENDPOINT;
    if (!(await auth.getToken())) process.exit(1);
  `,
  'nothing: Node itself': '',
};
const env = { ...process.env, DOCUMENT: about.documents.native, TOKEN_FILE: about.token_file, TOKEN_ENDPOINT: about.token_endpoint };
const folder = mkdtempSync(join(here, 'node_modules/.bench-'));
const firsts = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let round = 0; round < 11; round += 1) {
  for (const [name, text] of Object.entries(programs)) {
    const file = join(folder, `${name.replace(/\W/g, '')}.mjs`);
    writeFileSync(file, text);
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [file], { env, cwd: here });
    if (status !== 0) {
      throw new Error(`${name}: ${stderr}`);
    }
    firsts[name].push(performance.now() - started);
  }
}

console.log('first token from process start to its end, milliseconds, the median of 11');
const peer = median(firsts["OpenAI's client"]);
for (const [name, times] of Object.entries(firsts)) {
  console.log(`  ${name.padEnd(44)} ${median(times).toFixed(0).padStart(8)}   ${(median(times) / peer).toFixed(2)} of OpenAI's client`);
}

// How long the event loop stands still for a cold token: the longest gap between two turns.
async function longestGap(work) {
  let [last, longest, turning] = [performance.now(), 0, true];
  const turn = () => {
    const at = performance.now();
    longest = Math.max(longest, at - last);
    last = at;
    if (turning) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  turning = false;
  return longest;
}
const gaps = { idle: [], cold: [] };
for (let round = 0; round < 9; round += 1) {
  gaps.idle.push(await longestGap(() => new Promise((resolve) => setTimeout(resolve, 50))));
  gaps.cold.push(
    await longestGap(async () => {
      const other = await open(about.documents.native);
      await other.token();
      await other.close();
    }),
  );
}
console.log('longest stand-still of the event loop, milliseconds, the median of 9');
console.log(`  while idle                                   ${median(gaps.idle).toFixed(2).padStart(8)}`);
console.log(`  while opening and taking a first token       ${median(gaps.cold).toFixed(2).padStart(8)}`);

await provider.close();
