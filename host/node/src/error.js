/**
 * The one error of this package: who has to act, a stable code, and what to do next.
 *
 * @module
 */

/**
 * Who has to act. The same five cases as `error` in the component's contract.
 *
 * - `invalid`: the author of the document, or the caller of this package. Asking again changes nothing.
 * - `denied`: the operator, who did not grant what the document needs.
 * - `identity`: the platform, which gave no identity token, or one that cannot be used.
 * - `rejected`: the administrator of the API, whose token endpoint refused the identity.
 * - `unavailable`: nobody. The network or the endpoint is out of order for now.
 *
 * @typedef {'invalid' | 'denied' | 'identity' | 'rejected' | 'unavailable'} ErrorKind
 */

/** Outages that only a person ends: asking once more makes no certificate trusted and no redirect an answer. */
const LASTING = new Set(['endpoint-untrusted', 'endpoint-redirect']);

/** Why something did not work. Holds no secret and no part of a response body. */
export class KeylessError extends Error {
  /**
   * @param {ErrorKind} kind
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfterMs]
   */
  constructor(kind, code, message, retryAfterMs) {
    super(message);
    /** Who has to act. */
    this.kind = kind;
    /** Stable and kebab-case, such as `token-file-missing`; docs/errors.md lists them. */
    this.code = code;
    /** How long to leave it alone, in milliseconds. Undefined: asking again will not change the answer. */
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether waiting may help. */
  get isTransient() {
    return this.kind === 'unavailable' && !LASTING.has(this.code);
  }
}

// On the prototype, as the built-in errors have it: no line of its own in what is printed.
Object.defineProperty(KeylessError.prototype, 'name', { value: 'KeylessError', configurable: true, writable: true });

/**
 * An error of the component as an error of ours.
 *
 * @param {import('../component/interfaces/keyless-credentials-types.js').Error} error
 * @returns {KeylessError}
 */
export function fromMachine({ tag, val }) {
  return new KeylessError(tag, val.code, val.message, val.retryAfterMs === undefined ? undefined : Number(val.retryAfterMs));
}

/**
 * Calls into the component, and throws what it refuses as an error of ours. A trap is thrown as it is.
 *
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
export function calling(call) {
  try {
    return call();
  } catch (thrown) {
    const refusal = refused(thrown);
    throw refusal === undefined ? thrown : refusal;
  }
}

/**
 * What a function of the component threw, if that was its `err`: anything else is a trap.
 *
 * @param {unknown} thrown
 * @returns {KeylessError | undefined}
 */
function refused(thrown) {
  const payload = thrown instanceof Error && 'payload' in thrown ? thrown.payload : undefined;
  if (typeof payload !== 'object' || payload === null || !('tag' in payload && 'val' in payload)) {
    return undefined;
  }
  return fromMachine(/** @type {import('../component/interfaces/keyless-credentials-types.js').Error} */ (payload));
}
