import { setMaxListeners } from 'node:events'
import { isSakError } from '../core/errors.ts'
import { printable } from '../core/terminal.ts'
import { screen } from './screen.ts'

/**
 * Runs something that Ctrl-C may stop: the first asks it to end cleanly, the second ends the process at once.
 * Answers 130 where it was interrupted.
 */
export async function interruptible(act: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal) // each host listens, and there may be many at once
  const onInterrupt = () => {
    if (signal.aborted) process.exit(130)
    controller.abort()
    screen.print(
      process.stderr,
      '\nstopping: what runs on the hosts ends or undoes itself; Ctrl-C again ends at once\n',
    )
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onInterrupt)
  try {
    const exitCode = await act(signal)
    return signal.aborted ? 130 : exitCode
  } catch (error) {
    if (!signal.aborted || !isSakError(error)) throw error
    process.stderr.write(`${printable(error.message)}\n`)
    return 130
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
  }
}
