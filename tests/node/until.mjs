// For what nobody announces: asks again until it holds.

import { setTimeout as pause } from 'node:timers/promises';

export async function until(what, holds, patience = 30_000) {
  const end = performance.now() + patience;
  for (;;) {
    const found = await holds();
    if (found) {
      return found;
    }
    if (performance.now() > end) {
      throw new Error(`${what}: not within ${patience} ms`);
    }
    await pause(10);
  }
}
