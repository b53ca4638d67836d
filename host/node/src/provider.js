/**
 * The handle that programs hold: a credential to read, a way to wait for it, a way to say "rejected".
 *
 * @module
 */

import { KeylessError } from './error.js';
import { authorised } from './fetch.js';

/** @typedef {import('./credential.js').Credential} Credential */

/**
 * @typedef {object} WaitOptions
 * @property {number} [within] How long to wait for a credential, in milliseconds. 30,000 by default.
 * @property {AbortSignal | undefined} [signal] Ends the waiting early; the exchange goes on for the others.
 */

/** A token and its end in Unix seconds, as Anthropic's client takes it. @typedef {{ token: string, expiresAt: number | null }} AccessToken */

/**
 * What keeps the credential: a `Lease`.
 *
 * @typedef {object} Keeper
 * @property {() => Credential | undefined} usable
 * @property {(within: number, signal: AbortSignal | undefined) => Promise<Credential>} ready
 * @property {(within: number, signal: AbortSignal | undefined) => Promise<void>} settled
 * @property {(generation: number) => void} reject
 * @property {() => import('./status.js').Status} status
 * @property {() => Promise<void>} close
 */

/** How long a caller waits who does not say, in milliseconds. */
const PATIENCE = 30_000;

/** A document at work: renewed ahead of time, for as long as the process runs or until it is closed. */
export class Provider {
  #lease;
  #plan;
  #baseURL;
  #fetch;
  #accessToken;

  /**
   * Made by `open`.
   *
   * @param {Keeper} lease
   * @param {import('./plan.js').Plan} plan
   * @param {string} baseURL
   * @param {typeof globalThis.fetch | undefined} fetch
   */
  constructor(lease, plan, baseURL, fetch) {
    this.#lease = lease;
    this.#plan = plan;
    this.#baseURL = baseURL;
    this.#fetch = authorised(this, fetch);
    this.#accessToken = accessTokens(this);
  }

  /** The document as it was understood. Holds no secret. */
  get plan() {
    return this.#plan;
  }

  /** The API that the credential opens, such as `https://api.openai.com/v1`. */
  get baseURL() {
    return this.#baseURL;
  }

  /**
   * `fetch` for `baseURL` and nothing else: sets the credential's headers, and sends the request once more after a 401 if its
   * body allows that. Follows no redirect. Bound, to be handed to clients.
   *
   * @returns {typeof globalThis.fetch}
   */
  get fetch() {
    return this.#fetch;
  }

  /**
   * The token as `credentials` of Anthropic's client takes it. Bound. `forceRefresh` says that the API refused the last one.
   *
   * @returns {(options?: { forceRefresh?: boolean }) => Promise<AccessToken>}
   */
  get accessToken() {
    return this.#accessToken;
  }

  /** The credential, if a usable one is held. Made to be called for every request: no wait, no call into WebAssembly. */
  current() {
    return this.#lease.usable();
  }

  /**
   * The credential; waits for the first one, for one to follow an expired one, and for the renewal that `reject` forces.
   *
   * @param {WaitOptions} [options]
   * @returns {Promise<Credential>}
   * @throws {KeylessError} the last failure; `connection-deadline` when there was none in time; `connection-closed`
   */
  credential(options) {
    const held = this.#lease.usable();
    return held === undefined ? this.#lease.ready(options?.within ?? PATIENCE, options?.signal) : Promise.resolve(held);
  }

  /**
   * The bearer token alone.
   *
   * @param {WaitOptions} [options]
   * @returns {Promise<string>}
   * @throws {KeylessError} as `credential`, and `credential-without-token` for an API that no bearer token opens
   */
  token(options) {
    const token = this.#lease.usable()?.token;
    return token === undefined ? this.credential(options).then(bearer) : Promise.resolve(token);
  }

  /**
   * The headers to set on a request to `baseURL`, by lower-case name.
   *
   * @param {WaitOptions} [options]
   * @returns {Promise<Readonly<Record<string, string>>>}
   * @throws {KeylessError} as `credential`
   */
  async headers(options) {
    return (await this.credential(options)).headers;
  }

  /**
   * Waits for a renewal that is due or under way, then as `credential`.
   *
   * @param {WaitOptions} [options]
   * @returns {Promise<Credential>}
   * @throws {KeylessError} as `credential`
   */
  async renewed(options) {
    const within = options?.within ?? PATIENCE;
    const until = performance.now() + within;
    await this.#lease.settled(within, options?.signal);
    return this.credential({ ...options, within: Math.max(until - performance.now(), 0) });
  }

  /**
   * Reports that the API answered 401 to the credential of this generation. Forces one renewal, at most every 30 seconds;
   * `credential` then waits for it. A generation that is no longer held is ignored.
   *
   * @param {number} generation
   * @throws {KeylessError} `generation-invalid`
   */
  reject(generation) {
    if (!Number.isSafeInteger(generation) || generation < 0) {
      throw new KeylessError(
        'invalid',
        'generation-invalid',
        `\`generation\` is ${typeof generation}, not a whole number from 1 up; hand over \`credential.generation\``,
      );
    }
    this.#lease.reject(generation);
  }

  /** What it is doing, for people and metrics. */
  status() {
    return this.#lease.status();
  }

  /**
   * Ends it: whoever waits gets `connection-closed`, a request under way is cut off. A provider that makes its own keys
   * deletes the service accounts that it made, for which it keeps the process alive, 30 seconds at most; every other has ended
   * at once. One that is let go without this deletes nothing: its accounts lapse.
   *
   * @returns {Promise<void>} the same each time; it may be left alone
   * @throws {KeylessError} `accounts-left` and the like, saying what is left; `connection-close-timeout`
   */
  close() {
    return this.#lease.close();
  }

  /** As `close`. */
  [Symbol.asyncDispose]() {
    return this.#lease.close();
  }
}

/** @param {Credential} credential */
function bearer({ token, headers }) {
  if (token === undefined) {
    throw new KeylessError(
      'invalid',
      'credential-without-token',
      `this API is not opened by a bearer token but by \`${Object.keys(headers)[0]}\`; use \`headers\` or \`fetch\` of the provider`,
    );
  }
  return token;
}

/** @param {Provider} provider @returns {Provider['accessToken']} */
function accessTokens(provider) {
  let given = 0;
  return async (options) => {
    if (options?.forceRefresh && given > 0) {
      provider.reject(given);
    }
    const credential = await provider.credential();
    given = credential.generation;
    // Over at once, so that the client asks every time: what it kept would outlive a rotation.
    const expiresAt = credential.expiresAt === undefined ? null : 0;
    return { token: bearer(credential), expiresAt };
  };
}
