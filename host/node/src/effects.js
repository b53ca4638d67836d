/**
 * What the component wants done, done within the grant.
 *
 * @module
 */

import { readWhole } from './files.js';
import { ask } from './source.js';

/** @typedef {import('./machine.js').Event} Event */
/** @typedef {import('./machine.js').Effect} Effect */
/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Request} Request */

/** The largest file that is read, whatever the component asks for, in bytes: no token, chain or key is larger. */
const LARGEST_FILE = 64 * 1024;

/** Performs effects. Each ends in one event, unless it is cancelled. */
export class Effects {
  #grant;
  #wanted;
  #network;
  #trust;
  #source;
  /** By the effect's id. @type {Map<bigint, AbortController>} */
  #underWay = new Map();

  /**
   * @param {import('./grant.js').Grant} grant
   * @param {import('./plan.js').ClientCertificate | undefined} wanted the certificate that the document wants presented
   * @param {import('./network.js').Network} network
   * @param {import('./trust.js').Trust} trust
   * @param {import('./source.js').TokenSource | undefined} source
   */
  constructor(grant, wanted, network, trust, source) {
    this.#grant = grant;
    this.#wanted = wanted;
    this.#network = network;
    this.#trust = trust;
    this.#source = source;
  }

  /**
   * Begins, and returns at once.
   *
   * @param {Effect} effect
   * @param {(event: Event) => void} happened called once, later
   */
  perform(effect, happened) {
    switch (effect.tag) {
      case 'read-file':
        return this.#begin(effect.val.id, happened, async () => ({
          tag: 'file',
          val: [effect.val.id, await this.#read(effect.val.path, effect.val.limit)],
        }));
      case 'send':
        return this.#begin(effect.val.id, happened, async (signal) => ({
          tag: 'response',
          val: [effect.val.id, await this.#send(effect.val, signal)],
        }));
      case 'ask-source':
        return this.#begin(effect.val.id, happened, async (signal) => ({
          tag: 'source',
          val: [effect.val.id, await ask(this.#source, effect.val.audience, signal)],
        }));
      case 'cancel':
        this.#underWay.get(effect.val)?.abort();
        this.#underWay.delete(effect.val);
    }
  }

  /** Nobody wants to hear of what is under way any more. */
  cancelAll() {
    for (const under of this.#underWay.values()) {
      under.abort();
    }
    this.#underWay.clear();
  }

  /** Ends everything. */
  close() {
    this.cancelAll();
    this.#network.close();
  }

  /**
   * @param {bigint} id
   * @param {(event: Event) => void} happened
   * @param {(signal: AbortSignal) => Promise<Event>} work never rejects
   */
  async #begin(id, happened, work) {
    const controller = new AbortController();
    this.#underWay.set(id, controller);
    const event = await work(controller.signal);
    if (!controller.signal.aborted) {
      this.#underWay.delete(id);
      happened(event);
    }
  }

  /** @param {string} path @param {number} limit @returns {ReturnType<typeof readWhole>} */
  async #read(path, limit) {
    if (!this.#grant.files.has(path)) {
      return { tag: 'err', val: 'denied' };
    }
    return readWhole(path, Math.min(limit, LARGEST_FILE));
  }

  /** @param {Request} request @param {AbortSignal} signal @returns {Promise<import('./network.js').Answer>} */
  async #send(request, signal) {
    const target = this.#grant.endpoints.permits(request.method, request.url);
    if (target === undefined) {
      return { tag: 'err', val: 'denied' };
    }
    if (this.#wanted === undefined) {
      return this.#network.send(request, target, undefined, signal);
    }
    const presenting = target.secure ? await this.#presenting() : undefined;
    if (presenting === undefined || signal.aborted) {
      return { tag: 'err', val: 'no-certificate' };
    }
    return this.#network.send(request, target, presenting, signal);
  }

  /** The client certificate as it is now: it rotates while nobody looks. */
  async #presenting() {
    const granted = this.#grant.clientCertificate;
    if (granted === undefined) {
      return undefined;
    }
    const [cert, key] = await Promise.all([
      readWhole(granted.certificateFile, LARGEST_FILE),
      readWhole(granted.privateKeyFile, LARGEST_FILE),
    ]);
    if (cert.tag === 'err' || key.tag === 'err') {
      return undefined;
    }
    try {
      return this.#trust.presenting({ cert: Buffer.from(cert.val), key: Buffer.from(key.val) });
    } catch {
      // No PEM, or in the middle of a rotation: the next attempt finds both halves new.
      return undefined;
    }
  }
}
