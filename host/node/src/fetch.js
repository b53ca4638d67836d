/**
 * A `fetch` that is authorised for one API.
 *
 * @module
 */

import { KeylessError } from './error.js';

/**
 * @param {import('./provider.js').Provider} provider
 * @param {typeof globalThis.fetch | undefined} beneath what sends; the global one by default
 * @returns {typeof globalThis.fetch}
 */
export function authorised(provider, beneath) {
  return async (input, init) => {
    const send = beneath ?? globalThis.fetch;
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    refuseOthers(url, provider.baseURL);
    const signal = init?.signal ?? request?.signal;

    /** @param {import('./credential.js').Credential} credential */
    const attempt = (credential) => {
      const headers = new Headers(init?.headers ?? request?.headers);
      credential.apply(headers);
      // Whatever the API redirects to, the credential does not go there.
      return send(input, { ...init, headers, redirect: 'manual' });
    };

    const first = await provider.credential({ signal });
    const response = await attempt(first);
    if (response.status !== 401 || !isReplayable(request, init?.body)) {
      if (response.status === 401) {
        provider.reject(first.generation);
      }
      return response;
    }
    provider.reject(first.generation);
    const next = await provider.credential({ signal }).catch(() => undefined);
    if (next === undefined || next.generation === first.generation) {
      signal?.throwIfAborted();
      return response;
    }
    await response.body?.cancel();
    return attempt(next);
  };
}

/** @param {URL} url @param {string} baseURL */
function refuseOthers(url, baseURL) {
  const base = new URL(baseURL);
  const folder = base.pathname.replace(/\/$/, '');
  const within = url.origin === base.origin && (url.pathname === folder || url.pathname.startsWith(`${folder}/`));
  if (!within || url.username !== '' || url.password !== '') {
    throw new KeylessError(
      'invalid',
      'request-elsewhere',
      `the credential opens ${baseURL} and is sent nowhere else; the request is for ${url.origin}${url.pathname}. Use another ` +
        'fetch for it',
    );
  }
}

/**
 * Whether the body can be sent once more as it is. A stream is gone when it was sent.
 *
 * @param {Request | undefined} request
 * @param {unknown} body
 */
function isReplayable(request, body) {
  if (body === undefined || body === null) {
    return request === undefined || request.body === null;
  }
  return (
    typeof body === 'string' ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob
  );
}
