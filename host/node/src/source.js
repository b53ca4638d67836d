/**
 * The source `custom`: a function of the program's own, which gives the identity token.
 *
 * @module
 */

import { KeylessError } from './error.js';

/**
 * Gives an identity token. What it throws is shown to people: one sentence without secrets. The signal is aborted when
 * nobody waits for the token any more.
 *
 * @callback TokenSource
 * @param {string | undefined} audience whom the token is for, where the document says
 * @param {{ signal: AbortSignal }} options
 * @returns {string | Promise<string>}
 */

/** How long it may take, in milliseconds: half of what an attempt may take. */
const PATIENCE = 15_000;

/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').SourceFault} SourceFault */

/**
 * Never rejects.
 *
 * @param {TokenSource | undefined} source
 * @param {string | undefined} audience
 * @param {AbortSignal} signal
 * @returns {Promise<{ tag: 'ok', val: string } | { tag: 'err', val: SourceFault }>}
 */
export async function ask(source, audience, signal) {
  if (source === undefined) {
    return { tag: 'err', val: { tag: 'absent' } };
  }
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(reject, PATIENCE, new Error(`the function gave nothing within ${PATIENCE / 1000} s`)).unref();
    });
    const token = await Promise.race([source(audience, { signal }), late]);
    return typeof token === 'string' ? { tag: 'ok', val: token } : failed(`the function gave no text, but ${typeof token}`);
  } catch (reason) {
    return failed(reason instanceof Error ? reason.message : String(reason));
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} words @returns {{ tag: 'err', val: SourceFault }} */
function failed(words) {
  return { tag: 'err', val: { tag: 'failed', val: words } };
}

/**
 * Whether function and document go together. The document names a component, which this package does not load: a function
 * takes its place, or the document is refused. A function has the authority of the program, so it cannot stand for a
 * component that a lock file pins.
 *
 * @param {TokenSource | undefined} source
 * @param {import('./plan.js').SourceComponent | undefined} wanted
 * @param {string | undefined} sha256 of the lock file
 * @throws {KeylessError} `custom-source-missing`, `source-unused`, `source-component-changed`
 */
export function match(source, wanted, sha256) {
  if (source === undefined && wanted !== undefined) {
    throw new KeylessError(
      'denied',
      'custom-source-missing',
      `the document asks the component \`${wanted.path}\` for identity tokens, which Keyless for Node does not load; give a ` +
        'function that stands in for it as `source`, or use the command or the Rust library',
    );
  }
  if (source !== undefined && typeof source !== 'function') {
    throw new KeylessError('invalid', 'source-invalid', `\`source\` is ${typeof source}; give a function that returns a token`);
  }
  if (source !== undefined && wanted === undefined) {
    throw new KeylessError(
      'invalid',
      'source-unused',
      'a function is given as `source`, but the document does not ask it: leave it out, or write ' +
        '`"source": {"type": "custom", "component": "function"}`',
    );
  }
  if (wanted !== undefined && sha256 !== undefined) {
    throw new KeylessError(
      'denied',
      'source-component-changed',
      `the lock file pins the component \`${wanted.path}\` by its SHA-256, and a function is not that component; take ` +
        '`source.sha256` out of the lock file if a function may stand in for it',
    );
  }
}
