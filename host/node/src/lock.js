/**
 * The lock file that `keyless plan --lock FILE` writes: a grant on paper, reviewed and committed beside its document.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';

import { KeylessError } from './error.js';
import { Grant } from './grant.js';
import { isPath } from './files.js';

/** The version that this package reads. */
const VERSION = 1;

/**
 * Reads a lock file.
 *
 * @param {string | URL} path
 * @returns {Promise<import('./grant.js').Covering>}
 * @throws {KeylessError} `lock-invalid`, `lock-version`, or the code of an endpoint that can never be granted
 */
export async function readLock(path) {
  if (!isPath(path)) {
    throw invalid(`is given as ${typeof path}; give its path`);
  }
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (reason) {
    const why = reason instanceof Error && 'code' in reason ? String(reason.code) : 'no file';
    throw invalid(`cannot be read (${why}); check the path, or write it with \`keyless plan --lock FILE\``);
  }
  return parseLock(text);
}

/** @param {string} text @returns {import('./grant.js').Covering} */
export function parseLock(text) {
  /** @type {unknown} */
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(`is not JSON (${text.length} characters); write it anew`);
  }
  const { version } = object(json, 'it');
  if (version !== VERSION) {
    const shown = typeof version === 'number' ? `version ${version}` : 'no version';
    throw new KeylessError(
      'invalid',
      'lock-version',
      `the lock file has ${shown}, this package reads version ${VERSION}; write it anew with a \`keyless\` of that version`,
    );
  }
  const lock = fields(json, 'it', ['version', 'component', 'endpoints', 'files', 'variables'], ['client_certificate', 'source']);
  string(fields(lock['component'], '`component`', ['sha256'], [])['sha256'], '`component.sha256`');
  const covering = { ...reach(lock, ''), clientCertificate: certificate(lock['client_certificate']), sourceComponent: source(lock['source']) };
  // Endpoints that can never be granted are refused here, not at the first request.
  new Grant(covering);
  if (covering.sourceComponent !== undefined) {
    new Grant(covering.sourceComponent);
  }
  return covering;
}

/** @param {Record<string, unknown>} from @param {string} prefix */
function reach(from, prefix) {
  return {
    endpoints: list(from['endpoints'], `\`${prefix}endpoints\``).map((entry, index) => {
      const name = `\`${prefix}endpoints[${index}]\``;
      const { method, url } = fields(entry, name, ['method', 'url'], []);
      return { method: string(method, name), url: string(url, name) };
    }),
    files: list(from['files'], `\`${prefix}files\``).map((file) => string(file, `\`${prefix}files\``)),
    variables: list(from['variables'], `\`${prefix}variables\``).map((name) => string(name, `\`${prefix}variables\``)),
  };
}

/** @param {unknown} given */
function certificate(given) {
  if (given === undefined) {
    return undefined;
  }
  const name = '`client_certificate`';
  const { certificate_file, private_key_file } = fields(given, name, ['certificate_file', 'private_key_file'], []);
  return { certificateFile: string(certificate_file, name), privateKeyFile: string(private_key_file, name) };
}

/** @param {unknown} given */
function source(given) {
  if (given === undefined) {
    return undefined;
  }
  const from = fields(given, '`source`', ['path', 'endpoints', 'files', 'variables'], ['sha256']);
  const sha256 = from['sha256'] === undefined ? undefined : string(from['sha256'], '`source.sha256`');
  return { path: string(from['path'], '`source.path`'), sha256, ...reach(from, 'source.') };
}

/** An object with all of `required`, and nothing but those and `optional`. @param {unknown} given @param {string} name @param {string[]} required @param {string[]} optional */
function fields(given, name, required, optional) {
  const from = object(given, name);
  const missing = required.find((key) => !(key in from));
  if (missing !== undefined) {
    throw invalid(`is not valid: ${name} lacks \`${missing}\`; write it anew`);
  }
  if (Object.keys(from).some((key) => !required.includes(key) && !optional.includes(key))) {
    throw invalid(`is not valid: ${name} holds a field that is not known; write it anew`);
  }
  return from;
}

/** @param {unknown} given @param {string} name @returns {Record<string, unknown>} */
function object(given, name) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`is not valid: ${name} is not an object; write it anew`);
  }
  return /** @type {Record<string, unknown>} */ (given);
}

/** @param {unknown} given @param {string} name @returns {unknown[]} */
function list(given, name) {
  if (!Array.isArray(given)) {
    throw invalid(`is not valid: ${name} is not a list; write it anew`);
  }
  return given;
}

/** @param {unknown} given @param {string} name */
function string(given, name) {
  if (typeof given !== 'string') {
    throw invalid(`is not valid: ${name} holds what is not a text; write it anew`);
  }
  return given;
}

/** @param {string} what */
function invalid(what) {
  return new KeylessError('invalid', 'lock-invalid', `the lock file ${what}`);
}
