/**
 * Reading files: regular ones, whole, up to a limit, and anew each time, because a kubelet swaps them.
 *
 * @module
 */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** @typedef {import('../component/interfaces/keyless-credentials-machine.js').FileFault} FileFault */

/**
 * Never rejects.
 *
 * @param {string} path
 * @param {number} limit in bytes
 * @returns {Promise<{ tag: 'ok', val: Uint8Array } | { tag: 'err', val: FileFault }>}
 */
export async function readWhole(path, limit) {
  let file;
  try {
    // Opening a pipe that nobody writes to would wait for a writer.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile()) {
      return { tag: 'err', val: 'not-a-file' };
    }
    const content = new Uint8Array(limit + 1);
    let length = 0;
    while (length <= limit) {
      const { bytesRead } = await file.read(content, length, content.length - length);
      if (bytesRead === 0) {
        return { tag: 'ok', val: content.subarray(0, length) };
      }
      length += bytesRead;
    }
    return { tag: 'err', val: 'too-large' };
  } catch (reason) {
    return { tag: 'err', val: fault(reason) };
  } finally {
    await file?.close().catch(() => {});
  }
}

/** Whether it can name a file. A number would be one that is open already. @param {unknown} given @returns {given is string | URL} */
export function isPath(given) {
  return typeof given === 'string' || given instanceof URL;
}

/** @param {unknown} reason @returns {FileFault} */
function fault(reason) {
  switch (reason instanceof Error && 'code' in reason ? reason.code : undefined) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'missing';
    case 'EISDIR':
    case 'ENXIO':
      return 'not-a-file';
    default:
      return 'failed';
  }
}
