// The sandbox that `stage.mjs` started, and its switches.

import process from 'node:process';

export const about = JSON.parse(process.env.KEYLESS_SANDBOX);

// With the sandbox's certificate authority beside Node's.
export const trusting = { ca: about.ca_file };

async function call(method, path, body) {
  const response = await fetch(`${about.admin}${path}`, { method, body: body === undefined ? null : JSON.stringify(body) });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${await response.text()}`);
  }
  return response.json();
}

// `on`: a call of the Admin API, with the service `upstream`.
export const fault = (service, kind, times, on) => call('POST', '/faults', { service, on, fault: kind, times });
export const noFaults = () => call('DELETE', '/faults');
export const lifetime = (seconds) => call('POST', '/lifetime', { seconds });
export const revoke = (generation) => call('POST', '/revoke', { generation });
export const rotateToken = (claims) => call('POST', '/rotate-token', claims);
export const tokenFile = (content) => call('POST', '/token-file', { content });
export const state = () => call('GET', '/state');

// What became of the service accounts whose names begin so.
export async function accounts(prefix) {
  const { accounts: all } = await call('GET', '/service-accounts');
  return all.filter(({ name }) => name.startsWith(`${prefix}-`));
}

// As at its start, but for what it counted.
export async function reset() {
  await noFaults();
  await lifetime(3600);
}

// How many requests a party has received.
export async function requests(service) {
  return (await state()).counters[service].requests;
}

export const combination = (name) => about.documents.combinations[name];
