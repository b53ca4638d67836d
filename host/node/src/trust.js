/**
 * Whom to believe: Node's own roots, and the certificates that were given beside them.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';

import { KeylessError } from './error.js';
import { isPath } from './files.js';

/** The certificates to trust. What an https connection is made with, and whom it presents. */
export class Trust {
  /** Node's roots and the given ones. Undefined: Node's, as they are. @type {string[] | undefined} */
  #roots;
  /** @type {tls.SecureContext | undefined} */
  #context;

  /** @param {string[] | undefined} roots PEM */
  constructor(roots) {
    this.#roots = roots;
  }

  /** Without a certificate of one's own. Parses the roots at the first call: some milliseconds. */
  context() {
    this.#context ??= tls.createSecureContext(this.#options());
    return this.#context;
  }

  /**
   * With a certificate to present.
   *
   * @param {{ cert: Buffer, key: Buffer }} identity PEM
   * @throws what OpenSSL thinks of the two: they may not belong together, in the middle of a rotation
   */
  presenting({ cert, key }) {
    return tls.createSecureContext({ ...this.#options(), cert, key });
  }

  #options() {
    return this.#roots === undefined ? {} : { ca: this.#roots };
  }
}

/**
 * @param {string | URL | undefined} ca PEM text, or the file that holds it
 * @returns {Promise<Trust>}
 * @throws {KeylessError} `ca-certificates-invalid` for a file that cannot be read, or without a certificate that can
 */
export async function trusting(ca) {
  if (ca === undefined) {
    return new Trust(undefined);
  }
  if (!isPath(ca)) {
    throw invalid(`is ${typeof ca}`);
  }
  const given = certificates(isPem(ca) ? ca : await content(ca));
  // Node before 22.15 cannot name the roots that NODE_EXTRA_CA_CERTS adds.
  const own = 'getCACertificates' in tls ? /** @type {() => string[]} */ (tls.getCACertificates)() : tls.rootCertificates;
  return new Trust([...own, ...given]);
}

/** @param {string | URL} ca @returns {ca is string} */
function isPem(ca) {
  return typeof ca === 'string' && ca.includes('-----BEGIN');
}

/** @param {string | URL} file */
async function content(file) {
  try {
    return await readFile(file, 'utf8');
  } catch (reason) {
    const why = reason instanceof Error && 'code' in reason ? String(reason.code) : 'no file';
    throw invalid(`cannot be read (${why})`);
  }
}

/** @param {string} pem @returns {string[]} */
function certificates(pem) {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) {
    throw invalid(`(${pem.length} characters) holds no certificate`);
  }
  for (const certificate of found) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw invalid(`(${pem.length} characters) holds a certificate that cannot be read`);
    }
  }
  return found;
}

/** @param {string} what */
function invalid(what) {
  return new KeylessError(
    'invalid',
    'ca-certificates-invalid',
    `\`ca\` ${what}; give PEM text, or the path of a PEM file, that holds \`-----BEGIN CERTIFICATE-----\``,
  );
}
