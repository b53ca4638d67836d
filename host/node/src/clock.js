/**
 * The two clocks. The wall clock goes on while a machine sleeps, the monotonic one is never set: what has ended by either
 * has ended.
 *
 * @module
 */

/**
 * The present moment in milliseconds, as the component takes it.
 *
 * @returns {import('../component/interfaces/keyless-credentials-machine.js').Now}
 */
export function now() {
  return { wallMs: BigInt(Date.now()), monotonicMs: BigInt(Math.floor(performance.now())) };
}
