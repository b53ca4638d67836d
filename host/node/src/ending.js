/**
 * The end of a session: it deletes what it made, where it made anything, and is let go.
 *
 * @module
 */

import { now } from './clock.js';
import { KeylessError, fromMachine } from './error.js';

/** @typedef {import('./machine.js').Event} Event */
/** @typedef {import('./machine.js').Session} Session */

/** How long it may take, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Closes a session and goes on with it until it has ended; then nothing of it is under way any more. At once where it made
 * nothing to be deleted. Until it is done it keeps the process alive.
 *
 * @param {Session} session
 * @param {import('./effects.js').Effects} effects none of which is under way
 * @param {number} [within] in milliseconds
 * @returns {Promise<void>}
 * @throws {KeylessError} what the component says is left; `connection-close-timeout`; `component-trapped`
 */
export function end(session, effects, within = PATIENCE) {
  return new Promise((resolve, reject) => {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    let over = false;

    /** @param {KeylessError} [failure] */
    const finish = (failure) => {
      over = true;
      clearTimeout(timer);
      clearTimeout(deadline);
      effects.close();
      if (failure === undefined) {
        resolve();
      } else {
        reject(failure);
      }
    };

    /** @param {Event} event */
    const step = (event) => {
      if (over) {
        return;
      }
      clearTimeout(timer);
      try {
        for (const effect of session.step(now(), event)) {
          effects.perform(effect, step);
        }
        const closed = session.closed();
        if (closed !== undefined) {
          finish(closed.tag === 'err' ? fromMachine(closed.val) : undefined);
          return;
        }
        const at = Number(session.wakeAt(now()) ?? Infinity);
        if (at !== Infinity) {
          timer = setTimeout(step, Math.ceil(Math.max(at - performance.now(), 1)), { tag: 'tick' });
        }
      } catch (fault) {
        finish(trapped(fault));
      }
    };

    const deadline = setTimeout(() => finish(late(within)), within);
    try {
      session.close(now());
    } catch (fault) {
      finish(trapped(fault));
    }
    step({ tag: 'tick' });
  });
}

/** @param {number} within */
function late(within) {
  return new KeylessError(
    'unavailable',
    'connection-close-timeout',
    `service accounts that the connection made could not be deleted within ${within / 1000} s, and what was under way was cut off; ` +
      'check how the Admin API is reached. They lapse, as their names say; `keyless accounts prune` deletes them sooner',
  );
}

/** @param {unknown} fault */
function trapped(fault) {
  return new KeylessError(
    'unavailable',
    'component-trapped',
    `the component trapped at its end (${fault instanceof Error ? fault.name : typeof fault}); service accounts that it made and ` +
      'did not delete lapse, as their names say',
  );
}
