/**
 * What opens an API, and for how long.
 *
 * @module
 */

/** By lower-case name. @typedef {Readonly<Record<string, string>>} HeaderRecord */

/**
 * Immutable. Neither `util.inspect` nor `JSON.stringify` shows what is secret in it: the headers and the token are read
 * through getters.
 */
export class Credential {
  /** @type {HeaderRecord} */
  #headers;
  /** @type {string | undefined} */
  #token;

  /** @param {import('../component/interfaces/keyless-credentials-types.js').Credential} raw @param {number} generation */
  constructor(raw, generation) {
    this.#headers = Object.freeze(Object.fromEntries(raw.headers.map(({ name, value }) => [name, value])));
    this.#token = bearer(this.#headers['authorization']);
    /** The API that the headers open, such as `https://api.openai.com/v1`. Send them nowhere else. */
    this.baseURL = raw.baseUrl;
    /** Grows with every new credential of a provider, from 1. Hand it to `reject` after a 401. */
    this.generation = generation;
    /** Unix milliseconds at which a renewal becomes due. Undefined: never, as for a static key. */
    this.renewAt = raw.renewAt === undefined ? undefined : Number(raw.renewAt);
    /** Unix milliseconds. Not to be used at or past this moment. Undefined: it does not expire. */
    this.expiresAt = raw.expiresAt === undefined ? undefined : Number(raw.expiresAt);
    Object.freeze(this);
  }

  /** Headers to set on every request to `baseURL`, by lower-case name. Secret. */
  get headers() {
    return this.#headers;
  }

  /** The bearer token without its scheme. Undefined when the API is opened by another header. Secret. */
  get token() {
    return this.#token;
  }

  /**
   * Sets the headers on a request, replacing what it carried under those names.
   *
   * @param {Headers} headers
   */
  apply(headers) {
    for (const [name, value] of Object.entries(this.#headers)) {
      headers.set(name, value);
    }
  }
}

/** @param {string | undefined} authorization */
function bearer(authorization) {
  const [scheme, token] = authorization?.split(' ', 2) ?? [];
  return scheme?.toLowerCase() === 'bearer' ? token : undefined;
}
