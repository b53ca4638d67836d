/**
 * The component. It imports nothing, so all that it can do is what this package does for it.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';

import { modules } from '../component/about.js';
import { instantiate } from '../component/credential-machine.js';

/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Session} Session */
/** @typedef {typeof import('../component/interfaces/keyless-credentials-machine.js').Session} Sessions */
/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Event} Event */
/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Effect} Effect */

/** @type {Promise<Map<string, WebAssembly.Module>> | undefined} */
let compiled;

/**
 * Compiles the component, once for the process.
 *
 * @returns {Promise<() => Sessions>} makes an instance each time: one connection, or one question about a document
 */
export async function loadMachine() {
  compiled ??= compile();
  const core = await compiled;
  return () => {
    /** @param {string} name */
    const module = (name) => /** @type {WebAssembly.Module} */ (core.get(name));
    // The bindings name the types as an import, which there is none of.
    return instantiate(module, /** @type {any} */ ({})).machine.Session;
  };
}

async function compile() {
  const load = modules.map(async (name) => {
    const bytes = await readFile(new URL(`../component/${name}`, import.meta.url));
    return /** @type {const} */ ([name, await WebAssembly.compile(bytes)]);
  });
  return new Map(await Promise.all(load));
}
