/**
 * What a provider is doing, for people and metrics.
 *
 * @module
 */

import { fromMachine } from './error.js';

/**
 * Times are Unix milliseconds. `phase` is `idle`, `acquiring`, `fresh`, `renewing`, `waiting`, `failed` or, after `close`,
 * `closed`; a credential is held in `fresh`, `renewing` and `waiting` alike.
 *
 * @typedef {object} Status
 * @property {'idle' | 'acquiring' | 'fresh' | 'renewing' | 'waiting' | 'failed' | 'closed'} phase
 * @property {number} generation Of the credential held, 0 before the first.
 * @property {number} renewals Exchanges that succeeded.
 * @property {number} failures Attempts that failed.
 * @property {number} failuresInARow Attempts that failed since the last success.
 * @property {number} replacements Instances of the component that broke and were replaced.
 * @property {number | undefined} nextAttemptAt When a renewal is due, or the next attempt may start.
 * @property {number | undefined} expiresAt When the credential held ends.
 * @property {import('./error.js').KeylessError | undefined} lastError Why the last attempt failed, until one succeeds.
 * @property {import('./plan.js').Warning[]} warnings What was found at run time and works, but is doubtful.
 */

/** Before anything has happened. @type {Readonly<Status>} */
export const NOTHING_YET = Object.freeze({
  phase: 'idle',
  generation: 0,
  renewals: 0,
  failures: 0,
  failuresInARow: 0,
  replacements: 0,
  nextAttemptAt: undefined,
  expiresAt: undefined,
  lastError: undefined,
  warnings: [],
});

/**
 * @param {import('../component/interfaces/keyless-credentials-types.js').Status} raw
 * @returns {Status}
 */
export function statusOf(raw) {
  return {
    phase: raw.phase,
    generation: Number(raw.generation),
    renewals: Number(raw.renewals),
    failures: Number(raw.failures),
    failuresInARow: raw.failuresInARow,
    replacements: 0,
    nextAttemptAt: raw.nextAttemptAt === undefined ? undefined : Number(raw.nextAttemptAt),
    expiresAt: raw.expiresAt === undefined ? undefined : Number(raw.expiresAt),
    lastError: raw.lastError === undefined ? undefined : fromMachine(raw.lastError),
    warnings: raw.warnings.map(({ code, message }) => ({ code, message })),
  };
}
