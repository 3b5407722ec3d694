/** The longest that a timer can wait. */
const longestMs = 2 ** 31 - 1

/**
 * A signal that aborts after a time, with a reason. Not `AbortSignal.timeout`: where only an `AbortSignal.any` holds one, Node 20 lets
 * the garbage collector have it, and it never comes. It keeps no process alive.
 */
export function after(ms: number, reason?: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), Math.min(ms, longestMs)).unref()
  return controller.signal
}
