// The records of the contract as the conformance protocol writes them: names as in the WIT, in its order.

const option = (value, encode = (same) => same) => (value === undefined || value === null ? null : encode(value));
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const headers = (list) => list.map(({ name, value }) => ({ name, value }));
const endpoints = (list) => list.map(({ method, url }) => ({ method, url }));
const warnings = (list) => list.map(({ code, message }) => ({ code, message }));

export function error({ kind, code, message, retryAfterMs }) {
  return { [kind]: { code, message, 'retry-after-ms': option(retryAfterMs) } };
}

// An error of the component itself, as jco gives it.
export function problem({ tag, val }) {
  return { [tag]: { code: val.code, message: val.message, 'retry-after-ms': option(val.retryAfterMs, Number) } };
}

export function plan({ dialect, settings, warnings: doubts, requirements }) {
  const { clientCertificate, sourceComponent } = requirements;
  return {
    dialect,
    settings: settings.map(({ name, value, origin }) => ({ name, value, origin })),
    warnings: warnings(doubts),
    requirements: {
      endpoints: endpoints(requirements.endpoints),
      files: requirements.files,
      variables: requirements.variables,
      'client-certificate': option(clientCertificate, ({ certificateFile, privateKeyFile }) => ({
        'certificate-file': certificateFile,
        'private-key-file': privateKeyFile,
      })),
      'source-component': option(sourceComponent, (source) => ({
        path: source.path,
        endpoints: endpoints(source.endpoints),
        files: source.files,
        variables: source.variables,
      })),
    },
  };
}

// A credential of the component itself.
export function rawCredential({ headers: list, baseUrl, generation, renewAt, expiresAt }) {
  return {
    headers: headers(list),
    'base-url': baseUrl,
    generation: Number(generation),
    'renew-at': option(renewAt, Number),
    'expires-at': option(expiresAt, Number),
  };
}

// A credential of the package.
export function credential({ headers: record, baseURL, generation, renewAt, expiresAt }) {
  const list = Object.entries(record).map(([name, value]) => ({ name, value }));
  return rawCredential({ headers: list, baseUrl: baseURL, generation, renewAt, expiresAt });
}

function statusWith(encodeError, { lastError, ...status }) {
  return {
    phase: status.phase,
    generation: Number(status.generation),
    renewals: Number(status.renewals),
    failures: Number(status.failures),
    'failures-in-a-row': status.failuresInARow,
    'next-attempt-at': option(status.nextAttemptAt, Number),
    'expires-at': option(status.expiresAt, Number),
    'last-error': option(lastError, encodeError),
    warnings: warnings(status.warnings),
  };
}

export const status = (given) => statusWith(error, given);
export const rawStatus = (given) => statusWith(problem, given);

export function effect({ tag, val }) {
  switch (tag) {
    case 'read-file':
      return { 'read-file': { id: Number(val.id), path: val.path, limit: val.limit } };
    case 'send':
      return {
        send: {
          id: Number(val.id),
          method: val.method,
          url: val.url,
          headers: headers(val.headers),
          body: base64(val.body),
          'timeout-ms': val.timeoutMs,
          'response-limit': val.responseLimit,
        },
      };
    case 'ask-source':
      return { 'ask-source': { id: Number(val.id), audience: option(val.audience) } };
    default:
      return { cancel: Number(val) };
  }
}

// The other way: an event of the protocol as the component takes it.
export function event(given) {
  if (given === 'tick') {
    return { tag: 'tick' };
  }
  const [[tag, payload]] = Object.entries(given);
  if (tag === 'reject') {
    return { tag, val: BigInt(payload) };
  }
  const [id, outcome] = payload;
  return { tag, val: [BigInt(id), result(tag, outcome)] };
}

function result(tag, outcome) {
  if ('ok' in outcome) {
    return { tag: 'ok', val: received[tag](outcome.ok) };
  }
  if (tag !== 'source') {
    return { tag: 'err', val: outcome.err };
  }
  return { tag: 'err', val: outcome.err === 'absent' ? { tag: 'absent' } : { tag: 'failed', val: outcome.err.failed } };
}

const received = {
  file: (body) => Buffer.from(body, 'base64'),
  response: ({ status: code, headers: list, body }) => ({ status: code, headers: list, body: Buffer.from(body, 'base64') }),
  source: (token) => token,
};
