/**
 * Those who wait for a credential: any number of them for the same exchange, each until its own deadline.
 *
 * @module
 */

/** @template T */
export class Waiting {
  /** @type {Set<{ settle: (outcome: T | Error) => void }>} */
  #callers = new Set();

  /**
   * Waits until `settle` is called, the deadline passes or the signal is aborted. The deadline's timer is all that keeps the
   * process alive for a caller: sockets and timers of the renewal do not.
   *
   * @param {number} within in milliseconds
   * @param {AbortSignal | undefined} signal
   * @param {() => Error} late why there is nothing when the deadline passes
   * @returns {Promise<T>}
   */
  wait(within, signal, late) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#callers.delete(caller);
      };
      const abort = () => {
        leave();
        reject(signal?.reason);
      };
      const caller = {
        /** @param {T | Error} outcome */
        settle: (outcome) => {
          leave();
          if (outcome instanceof Error) {
            reject(outcome);
          } else {
            resolve(outcome);
          }
        },
      };
      const timer = setTimeout(() => caller.settle(late()), Math.min(within, LONGEST));
      signal?.addEventListener('abort', abort, { once: true });
      this.#callers.add(caller);
    });
  }

  /** Everybody gets this. @param {T | Error} outcome */
  settle(outcome) {
    for (const caller of [...this.#callers]) {
      caller.settle(outcome);
    }
  }
}

/** What `setTimeout` can take, in milliseconds: almost 25 days. */
const LONGEST = 2 ** 31 - 1;
