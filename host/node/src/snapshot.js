/**
 * One credential and its end on both clocks, as readers see it.
 *
 * @module
 */

import { Credential } from './credential.js';

/** Immutable, and read without a call into WebAssembly. */
export class Snapshot {
  /**
   * @param {Credential} credential
   * @param {number} until on the wall clock, Unix milliseconds
   * @param {number} untilMonotonic on the monotonic clock
   * @param {object} giver the session that gave it
   */
  constructor(credential, until, untilMonotonic, giver) {
    this.credential = credential;
    this.until = until;
    this.untilMonotonic = untilMonotonic;
    this.giver = giver;
  }

  /** The credential, unless either clock says that it has ended. */
  usable() {
    // A static key costs no look at a clock.
    const usable = this.until === Infinity || (Date.now() < this.until && performance.now() < this.untilMonotonic);
    return usable ? this.credential : undefined;
  }

  /** How long it lasts, in milliseconds, by the clock that gives it less. */
  remaining() {
    return Math.min(this.until - Date.now(), this.untilMonotonic - performance.now());
  }
}

/**
 * What the component holds, as a snapshot: the one that was there already, as far as it is the same.
 *
 * @param {import('../component/interfaces/keyless-credentials-types.js').Credential} raw
 * @param {number} earlier how many generations there were before this session's
 * @param {object} giver
 * @param {Snapshot | undefined} before
 * @returns {Snapshot}
 */
export function snapshot(raw, earlier, giver, before) {
  const generation = earlier + Number(raw.generation);
  const known = before?.credential;
  const renewAt = raw.renewAt === undefined ? undefined : Number(raw.renewAt);
  if (before !== undefined && known?.generation === generation) {
    // The ends stay as they were first seen: a clock that is set afterwards must not move them. When a renewal is due is told
    // from both clocks each time, and differs by what they are read at.
    return Math.abs((known.renewAt ?? 0) - (renewAt ?? 0)) < 1_000
      ? before
      : new Snapshot(new Credential(raw, generation), before.until, before.untilMonotonic, giver);
  }
  const credential = new Credential(raw, generation);
  if (credential.expiresAt === undefined) {
    return new Snapshot(credential, Infinity, Infinity, giver);
  }
  return new Snapshot(credential, credential.expiresAt, performance.now() + credential.expiresAt - Date.now(), giver);
}
