/** Writes commits to a history, as runs do, until it is killed. Says each one that is kept: `kept NAME-N`. */
import { takeRunLock } from '../../src/drift/run-lock.ts'
import { openStore } from '../../src/drift/store.ts'

const [folder = '', name = ''] = process.argv.slice(2)
for (let n = 0; ; n++) {
  const at = new Date().toISOString()
  const lock = await takeRunLock(folder, { what: 'writer', longestMs: 60_000, waitMs: 30_000 })
  const store = await openStore(folder, at)
  const run = { id: `${name}-${n}`, mode: 'drift' as const, at, durationMs: 1, exitCode: 0, hosts: {} }
  await store.commit({ at, run })
  process.stdout.write(`kept ${run.id}\n`)
  lock.release()
}
