/**
 * Keeps one document open in an instance of the component, steps it when something has happened or is due, and publishes
 * what it holds. The component decides what to do; this never hides a valid credential because of a failure, and never gives
 * out one past its end.
 *
 * @module
 */

import { now } from './clock.js';
import { end } from './ending.js';
import { KeylessError, calling } from './error.js';
import { Snapshot, snapshot } from './snapshot.js';
import { NOTHING_YET, statusOf } from './status.js';
import { Waiting } from './waiting.js';

/** @typedef {import('./credential.js').Credential} Credential */
/** @typedef {import('./machine.js').Event} Event */
/** @typedef {import('./machine.js').Session} Session */

/** The longest sleep without a look at the clocks, in milliseconds: after a suspension, timers are late by its length. */
const LOOK = 30_000;
/** The longest pause before a broken instance is replaced, in milliseconds. */
const LONGEST_PAUSE = 300_000;

/** A document at work. */
export class Lease {
  #open;
  #effects;
  /** Undefined between a trap and the instance that takes its place. @type {Session | undefined} */
  #session;
  /** @type {Snapshot | undefined} */
  #held;
  /** Why there is no credential, and will be none before the next attempt. @type {KeylessError | undefined} */
  #failure;
  /** @type {Waiting<Credential>} */
  #wanting = new Waiting();
  /** @type {Waiting<void>} */
  #renewing = new Waiting();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** What the instances before the present one had counted. */
  #before = NOTHING_YET;
  #brokenInARow = 0;
  /** On the monotonic clock, while there is no instance. */
  #reopenAt = 0;
  #closed = false;
  /** Once it was asked for. @type {Promise<void> | undefined} */
  #end;
  /** For the timer, which keeps nothing alive: a lease that nobody reads any more ends. */
  #itself = new WeakRef(this);

  /**
   * @param {() => Session} open opens the document in an instance of its own
   * @param {import('./effects.js').Effects} effects
   */
  constructor(open, effects) {
    this.#open = open;
    this.#effects = effects;
    this.#session = open();
  }

  /** Time has passed: begins what is due, at first the first exchange. */
  wake() {
    this.#step({ tag: 'tick' });
  }

  /** The credential, if one is held that has not ended. */
  usable() {
    return this.#held?.usable();
  }

  /**
   * Waits for the first credential, for one to follow an expired one, and for the renewal that a rejection forces. An outage
   * keeps a caller waiting, so that a short one heals unnoticed; any other failure is thrown at once.
   *
   * @param {number} within in milliseconds
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<Credential>}
   */
  async ready(within, signal) {
    this.#step({ tag: 'tick' });
    const credential = this.usable();
    if (credential !== undefined) {
      return credential;
    }
    const failure = this.#lasting();
    if (failure !== undefined) {
      throw failure;
    }
    return this.#wanting.wait(within, signal, () => this.#late(within));
  }

  /** Waits until no renewal is due or under way. @param {number} within in milliseconds @param {AbortSignal | undefined} signal */
  async settled(within, signal) {
    this.#step({ tag: 'tick' });
    if (this.#asked((session) => session.busy())) {
      await this.#renewing.wait(within, signal, () => this.#late(within));
    }
  }

  /** The API answered 401 to the credential of this generation. @param {number} generation */
  reject(generation) {
    const own = generation - this.#before.generation;
    if (own > 0) {
      this.#step({ tag: 'reject', val: BigInt(own) });
    } else if (this.#held?.credential.generation === generation) {
      // Of an instance that broke: its successor knows nothing of it, and begins with none anyhow.
      this.#held = undefined;
      this.#step({ tag: 'tick' });
    }
  }

  /** @returns {import('./status.js').Status} */
  status() {
    if (this.#closed) {
      return { ...NOTHING_YET, ...this.#before, phase: 'closed', nextAttemptAt: undefined, expiresAt: undefined };
    }
    const own = this.#asked((session) => statusOf(session.status(now()))) ?? NOTHING_YET;
    const inherited = own.generation === 0 ? this.#held?.usable() : undefined;
    return {
      ...own,
      phase: inherited === undefined ? own.phase : this.#session === undefined ? 'waiting' : 'renewing',
      generation: this.#before.generation + own.generation,
      renewals: this.#before.renewals + own.renewals,
      failures: this.#before.failures + own.failures,
      failuresInARow: own.failuresInARow + (own.renewals === 0 ? this.#before.failuresInARow : 0),
      replacements: this.#before.replacements,
      expiresAt: inherited === undefined ? own.expiresAt : inherited.expiresAt,
      lastError: own.lastError ?? (own.renewals === 0 ? this.#before.lastError : undefined),
    };
  }

  /**
   * Ends it: whoever waits is told, what is under way is cut off, what the session made is deleted, the instance is let go.
   *
   * @returns {Promise<void>} the same each time
   */
  close() {
    this.#end ??= this.#close();
    return this.#end;
  }

  #close() {
    this.#before = this.status();
    const session = this.#session;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#effects.cancelAll();
    this.#session = undefined;
    this.#held = undefined;
    this.#failure = new KeylessError('unavailable', 'connection-closed', 'the provider is closed; open another one');
    this.#wanting.settle(this.#failure);
    this.#renewing.settle(this.#failure);
    const ended = this.#ended(session);
    // Who does not wait for it does not want to know: that something is left is no reason to end the process.
    ended.catch(() => {});
    return ended;
  }

  /** @param {Session | undefined} session */
  async #ended(session) {
    if (session === undefined) {
      // It broke, and its successor had not come yet: that would know of nothing to delete.
      this.#effects.close();
    } else {
      await end(session, this.#effects);
    }
  }

  /** @param {Event} event */
  #step(event) {
    if (this.#closed) {
      return;
    }
    try {
      const session = this.#present();
      if (session !== undefined) {
        for (const effect of session.step(now(), event)) {
          this.#effects.perform(effect, (ended) => this.#step(ended));
        }
        this.#publish(session);
        this.#wakeLater(Number(session.wakeAt(now()) ?? Infinity));
      } else {
        this.#wakeLater(this.#reopenAt);
      }
    } catch (fault) {
      this.#broke(fault);
    }
  }

  /**
   * What the session says; undefined where there is none, or it breaks over the question.
   *
   * @template T
   * @param {(session: Session) => T} question
   * @returns {T | undefined}
   */
  #asked(question) {
    try {
      return this.#session === undefined ? undefined : question(this.#session);
    } catch (fault) {
      this.#broke(fault);
      return undefined;
    }
  }

  /** The session, opened anew where one broke and its time has come. */
  #present() {
    if (this.#session === undefined && performance.now() >= this.#reopenAt) {
      this.#session = this.#open();
    }
    return this.#session;
  }

  /** @param {Session} session */
  #publish(session) {
    try {
      const raw = calling(() => session.credential(now()));
      this.#failure = undefined;
      if (raw !== undefined) {
        this.#held = snapshot(raw, this.#before.generation, session, this.#held);
      } else if (this.#held?.giver === session) {
        // Ended, or rejected. What an earlier instance gave is still good.
        this.#held = undefined;
      }
    } catch (error) {
      if (!(error instanceof KeylessError)) {
        throw error;
      }
      this.#failure = error;
      if (this.#held?.giver === session) {
        this.#held = undefined;
      }
    }
    if (!session.busy()) {
      this.#brokenInARow = 0;
      this.#renewing.settle(undefined);
    }
    const outcome = this.usable() ?? this.#lasting();
    if (outcome !== undefined) {
      this.#wanting.settle(outcome);
    }
  }

  /** A failure that waiting does not heal. */
  #lasting() {
    return this.#closed || !this.#failure?.isTransient ? this.#failure : undefined;
  }

  /** @param {number} within */
  #late(within) {
    return (
      this.status().lastError ??
      new KeylessError(
        'unavailable',
        'connection-deadline',
        `no credential within ${within} ms, and no attempt has failed yet; allow more time, or see why the token endpoint is slow`,
        1_000,
      )
    );
  }

  /** Steps at that moment of the monotonic clock, or when the clocks are to be looked at again. @param {number} at */
  #wakeLater(at) {
    clearTimeout(this.#timer);
    if (at !== Infinity) {
      const wait = Math.min(Math.max(at - performance.now(), 1), LOOK, Math.max(this.#held?.remaining() ?? LOOK, 1));
      this.#timer = setTimeout(wake, Math.ceil(wait), this.#itself).unref();
    }
  }

  /** The instance trapped: another one takes its place after a pause. What is held stays in use. @param {unknown} fault */
  #broke(fault) {
    const pause = Math.min(1_000 * 2 ** Math.min(this.#brokenInARow, 16), LONGEST_PAUSE);
    const error = new KeylessError(
      'unavailable',
      'component-trapped',
      `the component trapped (${fault instanceof Error ? fault.name : typeof fault}); a fresh instance takes its place in ${pause / 1000} s`,
      pause,
    );
    this.#effects.cancelAll();
    this.#session = undefined;
    this.#brokenInARow += 1;
    const held = this.#held?.credential.generation ?? 0;
    this.#before = {
      ...this.#before,
      generation: Math.max(this.#before.generation, held),
      renewals: Math.max(this.#before.renewals, held),
      failures: this.#before.failures + 1,
      failuresInARow: this.#before.failuresInARow + 1,
      replacements: this.#before.replacements + 1,
      lastError: error,
    };
    this.#failure = error;
    this.#reopenAt = performance.now() + pause;
    this.#renewing.settle(error);
    this.#wakeLater(this.#reopenAt);
  }
}

/** @param {WeakRef<Lease>} lease */
function wake(lease) {
  lease.deref()?.wake();
}
