/**
 * What the host allows. Made before a connection is opened, never widened by the component.
 *
 * @module
 */

import { AllowList } from './allow.js';
import { KeylessError } from './error.js';

/**
 * Less than the document needs: whatever is beyond it is answered with `denied`.
 *
 * @typedef {object} GrantOptions
 * @property {Iterable<import('./plan.js').Endpoint>} [endpoints] Requests that may be sent. None by default.
 * @property {Iterable<string>} [files] Files that may be read, as the document spells them. None by default.
 * @property {import('./plan.js').ClientCertificate | undefined} [clientCertificate] What may be presented. None by default.
 */

/** Requests that may be sent, files that may be read, a certificate that may be presented. */
export class Grant {
  /** @param {GrantOptions} allowed @throws {KeylessError} for an endpoint that can never be granted */
  constructor({ endpoints = [], files = [], clientCertificate }) {
    if (!isList(endpoints) || !isList(files)) {
      throw new KeylessError(
        'invalid',
        'grant-invalid',
        'the grant is not one; give `endpoints` and `files` as lists, such as { endpoints: [{ method, url }], files: [path] }',
      );
    }
    this.endpoints = new AllowList(endpoints);
    /** @type {ReadonlySet<string>} */
    this.files = new Set(files);
    this.clientCertificate = clientCertificate;
  }

  /** Exactly this. @param {import('./plan.js').Requirements} requirements */
  static forRequirements(requirements) {
    return new Grant(requirements);
  }
}

/** Of anything but letters: the paths of a text would be its letters. @param {unknown} given */
function isList(given) {
  return typeof given === 'object' && given !== null && Symbol.iterator in given;
}

/**
 * What is granted on paper, as a lock file holds it.
 *
 * @typedef {object} Covering
 * @property {import('./plan.js').Endpoint[]} endpoints
 * @property {string[]} files
 * @property {string[]} variables
 * @property {import('./plan.js').ClientCertificate | undefined} [clientCertificate]
 * @property {(import('./plan.js').SourceComponent & { sha256?: string | undefined }) | undefined} [sourceComponent]
 */

/**
 * Whether everything required is granted. Endpoints are compared as URLs, files and variables as written.
 *
 * @param {Covering} granted
 * @param {import('./plan.js').Requirements} requirements
 * @throws {KeylessError} `grant-exceeded`, naming everything that is beyond the grant
 */
export function cover(granted, requirements) {
  const beyond = [...beyondOf(granted, requirements)];
  const { clientCertificate: certificate, sourceComponent: source } = requirements;
  if (certificate !== undefined && !same(certificate, granted.clientCertificate)) {
    beyond.push(`the client certificate ${certificate.certificateFile} with the key ${certificate.privateKeyFile}`);
  }
  if (source !== undefined && granted.sourceComponent?.path !== source.path) {
    beyond.push(`the component ${source.path}`);
  } else if (source !== undefined && granted.sourceComponent !== undefined) {
    beyond.push(...beyondOf(granted.sourceComponent, source).map((more) => `${more} for the component ${source.path}`));
  }
  if (beyond.length > 0) {
    throw new KeylessError(
      'denied',
      'grant-exceeded',
      `the document needs more than is granted: ${beyond.join(', ')}; if that is intended, extend the grant (write the lock ` +
        'file anew), else correct the document',
    );
  }
}

/** @typedef {{ endpoints: import('./plan.js').Endpoint[], files: string[], variables: string[] }} Reach */

/** @param {Reach} granted @param {Reach} wanted @returns {string[]} */
function beyondOf(granted, wanted) {
  const allowed = new AllowList(granted.endpoints);
  return [
    ...wanted.endpoints.filter((endpoint) => !allowed.covers(endpoint)).map(({ method, url }) => `${method} ${url}`),
    ...wanted.files.filter((file) => !granted.files.includes(file)).map((file) => `the file ${file}`),
    ...wanted.variables.filter((name) => !granted.variables.includes(name)).map((name) => `the variable ${name}`),
  ];
}

/**
 * @param {import('./plan.js').ClientCertificate} one
 * @param {import('./plan.js').ClientCertificate | undefined} other
 */
export function same(one, other) {
  return one.certificateFile === other?.certificateFile && one.privateKeyFile === other.privateKeyFile;
}
