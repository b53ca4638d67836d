/**
 * Which connection document: the one that is given, or where to look without it.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';

import { KeylessError } from './error.js';

/** No component takes a longer one, and nobody writes it by hand. In bytes. */
const LIMIT = 64 * 1024;

/**
 * The document as text. Without one, in this order: `KEYLESS_CONNECTION`, `AIRFLOW_CONN_OPENAI_DEFAULT`, OpenAI's own
 * variables. The command looks into `keyless.toml` before the last of these; this package reads no TOML.
 *
 * @param {unknown} given text, `@FILE`, or an object
 * @param {Readonly<Record<string, string | undefined>>} variables
 * @returns {Promise<string>}
 */
export async function findDocument(given, variables) {
  if (given !== undefined && given !== null) {
    return asText(given, 'the document');
  }
  /** @param {string} name */
  const filled = (name) => (variables[name]?.trim() ? variables[name] : undefined);
  const own = filled('KEYLESS_CONNECTION');
  if (own !== undefined) {
    return asText(own, '$KEYLESS_CONNECTION');
  }
  const airflow = filled('AIRFLOW_CONN_OPENAI_DEFAULT');
  if (airflow !== undefined) {
    return airflow;
  }
  if (filled('OPENAI_API_KEY') !== undefined || filled('OPENAI_IDENTITY_PROVIDER_ID') !== undefined) {
    return '{"environment":"openai"}';
  }
  throw new KeylessError(
    'invalid',
    'connection-missing',
    'no connection is given: hand a document to `open`, or set KEYLESS_CONNECTION, AIRFLOW_CONN_OPENAI_DEFAULT, ' +
      'OPENAI_API_KEY, or OPENAI_IDENTITY_PROVIDER_ID with OPENAI_SERVICE_ACCOUNT_ID',
  );
}

/** @param {unknown} given @param {string} place */
async function asText(given, place) {
  if (typeof given === 'object') {
    try {
      return JSON.stringify(given);
    } catch {
      throw form(`${place} is an object that JSON cannot hold`);
    }
  }
  if (typeof given !== 'string') {
    throw form(`${place} is ${typeof given}`);
  }
  if (given.startsWith('@')) {
    return content(given.slice(1), place);
  }
  // A name from keyless.toml, `-`, a file without its @: never quoted, it may be a key.
  if (!/[{:=\n]/.test(given)) {
    throw form(`what ${place} holds (${given.length} characters) is no document`);
  }
  return given;
}

/** @param {string} path @param {string} place */
async function content(path, place) {
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (reason) {
    const why = reason instanceof Error && 'code' in reason ? String(reason.code) : 'no file';
    throw new KeylessError(
      'invalid',
      'connection-file',
      `the file that ${place} names with @ cannot be read (${why}); check the path and its permissions`,
    );
  }
  if (bytes.length > LIMIT) {
    throw new KeylessError(
      'invalid',
      'document-too-large',
      `the file that ${place} names holds ${bytes.length} bytes, more than 64 KiB; check that it is the right one`,
    );
  }
  return bytes.toString('utf8');
}

/** @param {string} what */
function form(what) {
  return new KeylessError(
    'invalid',
    'connection-form',
    `${what}; give an object, JSON, \`openai://...\`, or @FILE (an API key is given as {"api_key": "sk-..."})`,
  );
}
