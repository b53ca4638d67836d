/**
 * Keyless for Node: a connection document in, a token that is always fresh out. `open` is the beginning.
 *
 * @module
 */

export { open } from './open.js';
export { Provider } from './provider.js';
export { Credential } from './credential.js';
export { KeylessError } from './error.js';

/** @typedef {import('./open.js').OpenOptions} OpenOptions */
/** @typedef {import('./open.js').Document} Document */
/** @typedef {import('./provider.js').WaitOptions} WaitOptions */
/** @typedef {import('./provider.js').AccessToken} AccessToken */
/** @typedef {import('./source.js').TokenSource} TokenSource */
/** @typedef {import('./grant.js').GrantOptions} GrantOptions */
/** @typedef {import('./plan.js').Endpoint} Endpoint */
/** @typedef {import('./plan.js').ClientCertificate} ClientCertificate */
/** @typedef {import('./plan.js').SourceComponent} SourceComponent */
/** @typedef {import('./plan.js').Requirements} Requirements */
/** @typedef {import('./plan.js').Setting} Setting */
/** @typedef {import('./plan.js').Warning} Warning */
/** @typedef {import('./plan.js').Plan} Plan */
/** @typedef {import('./status.js').Status} Status */
/** @typedef {import('./error.js').ErrorKind} ErrorKind */
