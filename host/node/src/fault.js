/**
 * Why there is no complete answer, in the words of the component's contract.
 *
 * @module
 */

/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').SendFault} SendFault */

/** A fault that is known when it happens, on its way through Node's own errors. */
export class Broken extends Error {
  /** @param {SendFault} fault */
  constructor(fault) {
    super(fault);
    this.fault = fault;
  }
}

/**
 * @param {Error} error of a request
 * @param {boolean} shakingHands whether a TLS handshake had begun and not ended
 * @returns {SendFault}
 */
export function faultOf(error, shakingHands) {
  if (error instanceof Broken) {
    return error.fault;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('EAI_') || code === 'ENOTFOUND' || code === 'ENODATA') {
    return 'unresolved';
  }
  if (code === 'ETIMEDOUT') {
    return 'timed-out';
  }
  if (NO_WAY.has(code)) {
    return 'unreachable';
  }
  if (DIED.has(code)) {
    return 'broken';
  }
  // A server refuses a client's certificate when TLS 1.3 lets the client believe that the handshake is over.
  return shakingHands || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? 'untrusted' : 'broken';
}

/** Nobody listens there, or there is no way there. */
const NO_WAY = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EINVAL',
]);

/** The connection ended, in a handshake too. */
const DIED = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
