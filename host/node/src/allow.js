/**
 * The requests that may leave: decided on method, scheme, authority and path, before any name is looked up.
 *
 * @module
 */

import { isIP } from 'node:net';

import { KeylessError } from './error.js';

/**
 * Where a request goes, taken apart: what is compared with the grant is what is connected to.
 *
 * @typedef {object} Target
 * @property {boolean} secure Whether TLS is spoken.
 * @property {string} host Lower case, an IPv6 address without brackets.
 * @property {number} port
 * @property {string} path As written, without query.
 * @property {string} query With its `?`, or empty.
 */

/** A grant's endpoints in the form in which requests are compared with them. */
export class AllowList {
  /** @type {Set<string>} */
  #entries;

  /**
   * @param {Iterable<import('./plan.js').Endpoint>} endpoints
   * @throws {KeylessError} `grant-endpoint-invalid` for what is no endpoint, `grant-endpoint-insecure` for plain `http` to
   * another machine.
   */
  constructor(endpoints) {
    this.#entries = new Set(Array.from(endpoints, canonical));
  }

  /**
   * Whether an endpoint is within the list, in whatever spelling.
   *
   * @param {import('./plan.js').Endpoint} endpoint
   */
  covers(endpoint) {
    try {
      return this.#entries.has(canonical(endpoint));
    } catch {
      return false;
    }
  }

  /**
   * Where a request may go, or undefined if it may not be sent. The query is free. The path is compared letter by letter:
   * `/a/../b` is not `/b`.
   *
   * @param {string} method
   * @param {string} url
   * @returns {Target | undefined}
   */
  permits(method, url) {
    const target = takenApart(url);
    if (target === undefined) {
      return undefined;
    }
    const entry = key(method, target);
    const star = withoutLastSegment(target.path);
    const allowed =
      this.#entries.has(entry) || (star !== undefined && this.#entries.has(key(method, { ...target, path: star })));
    return allowed ? target : undefined;
  }
}

/** Whether nothing but the next hop can be meant: then a second is enough to find out that nobody answers. @param {string} host */
export function isNextHop(host) {
  return host === METADATA_NAME || (isLocalAddress(host) && !isLoopback(host));
}

/**
 * Where plain `http` may go: this machine, or the addresses at which clouds answer their own machines. Over IPv4 those are
 * link-local (169.254.0.0/16), and what is sent there does not pass a router.
 *
 * @param {string} address as text, an IPv6 address without brackets
 */
export function isLocalAddress(address) {
  switch (isIP(address)) {
    case 4:
      return isLoopback(address) || address.startsWith('169.254.');
    case 6:
      return isLoopback(address) || METADATA_IPV6.has(address);
    default:
      return false;
  }
}

const METADATA_NAME = 'metadata.google.internal';

/** Amazon EKS pods, and AWS machines. */
const METADATA_IPV6 = new Set(['fd00:ec2::23', 'fd00:ec2::254']);

/** @param {string} address */
function isLoopback(address) {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

/** @param {string} method @param {Omit<Target, 'query'>} target */
function key(method, { secure, host, port, path }) {
  return `${method} ${secure ? 'https' : 'http'} ${host} ${port} ${path}`;
}

/**
 * A request's URL. Undefined for what cannot be compared: without scheme or host, with credentials (`granted@other` is the
 * other), with a port that is none.
 *
 * @param {string} url
 * @returns {Target | undefined}
 */
function takenApart(url) {
  const parts = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^/?#@:[\]\\\s]+)(?::([0-9]{1,5}))?(\/[^?#\\\s]*)?(\?[^#\s]*)?$/i.exec(url);
  if (parts === null) {
    return undefined;
  }
  const secure = parts[1]?.toLowerCase() === 'https';
  const port = parts[3] === undefined ? defaultPort(secure) : Number(parts[3]);
  if (port > 65_535) {
    return undefined;
  }
  const host = bare((parts[2] ?? '').toLowerCase());
  return { secure, host, port, path: parts[4] ?? '/', query: parts[5] ?? '' };
}

/**
 * The grant that would cover the path without naming its last segment: `/a/*` for `/a/b`. A `*` at the end of a granted URL
 * stands for one segment whose name only the other side knows, such as that of a machine's role; not for none, for several,
 * or for what a server could take for another path.
 *
 * @param {string} path
 */
function withoutLastSegment(path) {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const plain = /^[A-Za-z0-9_+=,.@-]+$/.test(name) && name !== '.' && name !== '..';
  return plain ? `${path.slice(0, slash)}/*` : undefined;
}

/** @param {import('./plan.js').Endpoint} endpoint @returns {string} */
function canonical({ method, url: text }) {
  /** @param {string} reason */
  const invalid = (reason) =>
    new KeylessError(
      'denied',
      'grant-endpoint-invalid',
      `\`${method} ${text}\` cannot be granted: ${reason}; write a method and an absolute URL without query`,
    );
  if (typeof method !== 'string' || !/^[A-Z]+$/.test(method)) {
    throw invalid('the method is not in upper case');
  }
  if (typeof text !== 'string' || !URL.canParse(text)) {
    throw invalid('the URL is not valid');
  }
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalid('the scheme is neither https nor http');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('the URL holds a user name or a password');
  }
  if (/[?#]/.test(url.href)) {
    throw invalid('the URL holds a query or a fragment');
  }
  const secure = url.protocol === 'https:';
  const host = bare(url.hostname);
  if (!secure && host !== 'localhost' && host !== METADATA_NAME && !isLocalAddress(host)) {
    throw new KeylessError(
      'denied',
      'grant-endpoint-insecure',
      `\`${method} ${text}\` cannot be granted: plain http is for this machine (localhost, 127.0.0.1, [::1]) and the cloud ` +
        'metadata addresses only; use https',
    );
  }
  const port = url.port === '' ? defaultPort(secure) : Number(url.port);
  return key(method, { secure, host, port, path: url.pathname });
}

/** @param {string} host */
function bare(host) {
  return host.replace(/^\[|\]$/g, '');
}

/** @param {boolean} secure */
function defaultPort(secure) {
  return secure ? 443 : 80;
}
