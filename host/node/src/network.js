/**
 * Sending requests: HTTP/1.1 by `node:http` and `node:https`, which follow no redirect and, with an agent of one's own, know
 * no proxy. Every request has one deadline, from looking up the name to the last byte of the answer.
 *
 * @module
 */

import { lookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';

import { isLocalAddress, isNextHop } from './allow.js';
import { Broken, faultOf } from './fault.js';

/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Request} Request */
/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').Response} Response */
/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').SendFault} SendFault */
/** @typedef {{ tag: 'ok', val: Response } | { tag: 'err', val: SendFault }} Answer */

/** For a whole request, whatever the component asks for, in milliseconds. */
const LONGEST = 10_000;
/** For a connection, and for one to the next hop: a metadata server answers at once or does not exist. In milliseconds. */
const CONNECT = 5_000;
const CONNECT_NEXT_HOP = 1_000;
/** The longest answer, whatever the component asks for, in bytes. */
const LARGEST = 64 * 1024 + 1;
/** The largest head of an answer, in bytes. */
const HEAD = 64 * 1024;
/** Long enough for the requests of one exchange, short enough to hold no connection between renewals. In milliseconds. */
const IDLE = 30_000;

const KEPT = { keepAlive: true, maxFreeSockets: 2, timeout: IDLE };

/** A few kept connections, none of which keeps the process alive. */
export class Network {
  /** @type {import('./trust.js').Trust} */
  #trust;
  /** Made with the first request: the roots take some milliseconds to parse. @type {HttpsAgent | undefined} */
  #https;
  /** Plain http was granted because of the name; whoever controls what it resolves to cannot send it elsewhere. */
  #http = new HttpAgent({ ...KEPT, lookup: localLookup });

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    this.#trust = trust;
  }

  /**
   * Never rejects.
   *
   * @param {Request} request
   * @param {import('./allow.js').Target} target where it goes
   * @param {import('node:tls').SecureContext | undefined} presenting a context with a client certificate, for this request alone
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  send(request, target, presenting, signal) {
    return new Promise((resolve) => {
      try {
        exchange(request, target, this.#agent(target, presenting), signal, resolve);
      } catch {
        // What Node refuses to put on a wire, such as a header with a line break.
        resolve({ tag: 'err', val: 'denied' });
      }
    });
  }

  /** Closes the connections that are kept. */
  close() {
    this.#http.destroy();
    this.#https?.destroy();
  }

  /** @param {import('./allow.js').Target} target @param {import('node:tls').SecureContext | undefined} presenting */
  #agent({ secure }, presenting) {
    if (!secure) {
      return this.#http;
    }
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED could say otherwise.
    const verified = { rejectUnauthorized: true };
    if (presenting !== undefined) {
      // No connection outlives a certificate that was replaced.
      return new HttpsAgent({ ...verified, keepAlive: false, secureContext: presenting });
    }
    this.#https ??= new HttpsAgent({ ...verified, ...KEPT, secureContext: this.#trust.context() });
    return this.#https;
  }
}

/**
 * @param {Request} request
 * @param {import('./allow.js').Target} target
 * @param {HttpAgent} agent
 * @param {AbortSignal} signal
 * @param {(answer: Answer) => void} resolve
 */
function exchange(request, target, agent, signal, resolve) {
  const outgoing = (target.secure ? httpsRequest : httpRequest)({
    agent,
    method: request.method,
    host: target.host,
    port: target.port,
    path: target.path + target.query,
    headers: sendable(request.headers),
    maxHeaderSize: HEAD,
    ...(target.secure ? { servername: isIP(target.host) === 0 ? target.host : '' } : {}),
  });
  const limit = Math.min(request.responseLimit, LARGEST);
  let shakingHands = false;

  /** @param {Answer} answer */
  const settle = (answer) => {
    clearTimeout(deadline);
    clearTimeout(connecting);
    signal.removeEventListener('abort', cancel);
    resolve(answer);
  };
  /** Ends it from here; the error comes back as an event. @param {SendFault} fault */
  const give = (fault) => void outgoing.destroy(new Broken(fault));
  /** @param {Error} error */
  const fail = (error) => settle({ tag: 'err', val: faultOf(error, shakingHands) });
  const cancel = () => give('broken');

  // Whoever waits for the answer has a timer that keeps the process alive; nothing here does.
  const deadline = setTimeout(give, Math.min(request.timeoutMs, LONGEST), 'timed-out').unref();
  const connecting = setTimeout(give, isNextHop(target.host) ? CONNECT_NEXT_HOP : CONNECT, 'timed-out').unref();
  signal.addEventListener('abort', cancel, { once: true });

  outgoing.once('error', fail);
  outgoing.once('close', () => fail(new Broken('broken')));
  outgoing.once('socket', (socket) => {
    socket.unref();
    if (!socket.connecting) {
      clearTimeout(connecting);
      return;
    }
    socket.once('connect', () => {
      clearTimeout(connecting);
      shakingHands = target.secure;
    });
    socket.once('secureConnect', () => {
      shakingHands = false;
    });
  });
  outgoing.once('response', (incoming) => {
    collect(incoming, limit, fail, (body) => {
      settle({ tag: 'ok', val: { status: incoming.statusCode ?? 0, headers: received(incoming.rawHeaders), body } });
    });
  });
  outgoing.end(request.body);
}

/**
 * The body as it came: nothing asks for compression, nothing decompresses. By callbacks, because a promise would be heard of
 * after the request's own `close`.
 *
 * @param {import('node:http').IncomingMessage} incoming
 * @param {number} limit in bytes
 * @param {(error: Error) => void} fail
 * @param {(body: Uint8Array) => void} done
 */
function collect(incoming, limit, fail, done) {
  /** @type {Buffer[]} */
  const pieces = [];
  let length = 0;
  incoming.on('data', (piece) => {
    length += piece.length;
    if (length > limit) {
      incoming.destroy(new Broken('too-large'));
    } else {
      pieces.push(piece);
    }
  });
  incoming.once('end', () => done(Buffer.concat(pieces)));
  incoming.once('error', fail);
  incoming.once('close', () => fail(new Broken('broken')));
}

/**
 * Names and values in the order in which they are sent. Nothing here decompresses, so nothing may ask for compression.
 *
 * @param {Request['headers']} headers
 */
function sendable(headers) {
  /** @type {Record<string, string>} */
  const record = {};
  for (const { name, value } of headers) {
    if (name.toLowerCase() !== 'accept-encoding') {
      record[name] = value;
    }
  }
  return record;
}

/** @param {string[]} raw names and values in turn */
function received(raw) {
  /** @type {Response['headers']} */
  const headers = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    headers.push({ name: (raw[at] ?? '').toLowerCase(), value: raw[at + 1] ?? '' });
  }
  return headers;
}

/**
 * The platform's resolver, which finds only this machine and the metadata addresses.
 *
 * @type {import('node:net').LookupFunction}
 */
function localLookup(name, options, answer) {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error) {
      answer(error, []);
      return;
    }
    const local = found.filter(({ address }) => isLocalAddress(address));
    const [first] = local;
    if (first === undefined) {
      answer(new Broken('denied'), []);
    } else if (options.all) {
      answer(null, local);
    } else {
      answer(null, first.address, first.family);
    }
  });
}
