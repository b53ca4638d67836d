/**
 * A connection document as it was understood, and all that it will ever need.
 *
 * @module
 */

/** A place on the network: an upper-case method and an absolute URL without query; a last segment `*` is any one. @typedef {{ method: string, url: string }} Endpoint */

/** PEM files of a client certificate, as the document spells them. @typedef {{ certificateFile: string, privateKeyFile: string }} ClientCertificate */

/** The component that the source `custom` names, and what the document grants it. @typedef {{ path: string, endpoints: Endpoint[], files: string[], variables: string[] }} SourceComponent */

/**
 * Everything outside itself that a connection will ever ask for.
 *
 * @typedef {object} Requirements
 * @property {Endpoint[]} endpoints Requests that may be sent, each by this method to this URL.
 * @property {string[]} files Files that may be read, as the document spells them.
 * @property {string[]} variables Environment variables that the document reads.
 * @property {ClientCertificate} [clientCertificate] Presented to each of `endpoints`.
 * @property {SourceComponent} [sourceComponent] What the document asks for identity tokens.
 */

/** A setting as it was understood; a secret is given as its shape. @typedef {{ name: string, value: string, origin: string }} Setting */

/** Something that works, but probably not as its author hopes. @typedef {{ code: string, message: string }} Warning */

/**
 * A connection document as it was understood. Holds no secret.
 *
 * @typedef {object} Plan
 * @property {string} dialect `native`, `airflow-uri`, `airflow-json`, `environment`, `okta` or `external-secrets`.
 * @property {Setting[]} settings In the order of the native document.
 * @property {Warning[]} warnings Empty when nothing is doubtful.
 * @property {Requirements} requirements What has to be granted.
 */

/**
 * The API that the document opens.
 *
 * @param {Plan} plan
 * @returns {string}
 */
export function baseURL(plan) {
  return plan.settings.find(({ name }) => name === 'api.base_url')?.value ?? '';
}
