/**
 * Opening a document: understood, granted, and at work.
 *
 * @module
 */

import { findDocument } from './document.js';
import { Effects } from './effects.js';
import { KeylessError, calling } from './error.js';
import { Grant, cover } from './grant.js';
import { Lease } from './lease.js';
import { readLock } from './lock.js';
import { loadMachine } from './machine.js';
import { Network } from './network.js';
import { baseURL } from './plan.js';
import { Provider } from './provider.js';
import { match } from './source.js';
import { trusting } from './trust.js';

/** A document: JSON or a URI as text, `@FILE`, or an object. @typedef {string | Readonly<Record<string, unknown>>} Document */

/**
 * @typedef {object} OpenOptions
 * @property {Readonly<Record<string, string | undefined>>} [variables] Instead of `process.env`. The component is handed
 * those that the document reads, and no others.
 * @property {import('./grant.js').GrantOptions} [grant] Less than the document needs. By default exactly what it needs.
 * @property {boolean} [strict] Refuse to send an identity token that is meant for a control plane (the Kubernetes API server, a
 * cloud's own API). By default as `KEYLESS_STRICT` says.
 * @property {string | URL} [lock] A lock file, as `keyless plan --lock FILE` writes it: a document that needs more is refused.
 * @property {string | URL} [ca] More roots to trust: PEM text, or the path of a PEM file.
 * @property {import('./source.js').TokenSource} [source] Gives identity tokens, where the document's source is `custom`.
 * @property {typeof globalThis.fetch} [fetch] What the provider's `fetch` sends with. The global one by default.
 */

/**
 * Opens a connection document. The first exchange begins; what can be known to be wrong without it is thrown.
 *
 * @param {Document} [document] without one: `KEYLESS_CONNECTION`, `AIRFLOW_CONN_OPENAI_DEFAULT`, OpenAI's own variables
 * @param {OpenOptions} [options]
 * @returns {Promise<Provider>}
 * @throws {import('./error.js').KeylessError}
 */
export async function open(document, options = {}) {
  const { variables: environment = process.env, source, fetch } = options;
  const [text, sessions, lock, trust] = await Promise.all([
    findDocument(document, environment),
    loadMachine(),
    options.lock === undefined ? undefined : readLock(options.lock),
    trusting(options.ca),
  ]);
  // The first instance answers what there is to know beforehand, and is the connection's.
  const first = sessions();
  const variables = named(calling(() => first.variables(text)), environment);
  if (options.strict ?? !NO.test(environment[STRICT] ?? '')) {
    variables.push([STRICT, '1']);
  }
  const plan = planOf(calling(() => first.plan(text, variables)));
  const { requirements } = plan;
  if (lock !== undefined) {
    cover(lock, requirements);
  }
  match(source, requirements.sourceComponent, lock?.sourceComponent?.sha256);
  const grant = options.grant === undefined ? Grant.forRequirements(requirements) : new Grant(options.grant);

  /** @type {typeof first | undefined} */
  let unused = first;
  const session = () => {
    const instance = unused ?? sessions();
    unused = undefined;
    return calling(() => instance.open(text, variables));
  };
  const effects = new Effects(grant, requirements.clientCertificate, new Network(trust), trust, source);
  const lease = new Lease(session, effects);
  lease.wake();
  return new Provider(lease, plan, baseURL(plan), fetch);
}

/** The variable by which strictness is asked for, of the component too; and what says no. */
const STRICT = 'KEYLESS_STRICT';
const NO = /^\s*(|0|n|no|f|false|off)\s*$/i;

/** Those that are named and set. @param {string[]} names @param {Readonly<Record<string, string | undefined>>} environment */
function named(names, environment) {
  /** @type {[string, string][]} */
  const pairs = [];
  for (const name of names) {
    /** @type {unknown} */
    const value = environment[name];
    if (typeof value === 'string') {
      pairs.push([name, value]);
    } else if (value !== undefined) {
      throw new KeylessError('invalid', 'variable-not-unicode', `the variable ${name} is ${typeof value}; give it as text`);
    }
  }
  return pairs;
}

/** @param {import('../component/interfaces/keyless-credentials-types.js').ConnectionPlan} raw @returns {import('./plan.js').Plan} */
function planOf({ dialect, settings, warnings, requirements }) {
  const { endpoints, files, variables, clientCertificate, sourceComponent } = requirements;
  return {
    dialect,
    settings,
    warnings,
    requirements: {
      endpoints,
      files,
      variables,
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
      ...(sourceComponent === undefined ? {} : { sourceComponent }),
    },
  };
}
