import { userInfo } from 'node:os'
import { z } from 'zod'
import type { Connection } from '../../src/core/connection.ts'
import { absent, file } from '../../src/core/file.ts'
import { blocked, defineModule } from '../../src/core/module.ts'
import { run, write } from '../../src/core/step.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { countTrips } from '../../src/engine/counted.ts'
import { shellConnection } from './shell.ts'

const me = userInfo().username
const own = { owner: me, group: me }

/** Keeps a file at its content; the running state is what a command says, where one is given. */
export const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({
    path: z.string(),
    content: z.string().nullable(),
    impact: z.enum(['none', 'restart']).default('none'),
    step: z.array(z.string()).optional(),
    undo: z.enum(['none', 'resumable']).default('none'),
    /** A path that nobody can foresee once the step is done. */
    leaves: z.string().optional(),
    blocked: z.boolean().default(false),
  }),
  impact: 'restart',
  owns: ({ path }) => [path],
  async check(host, { path, content, blocked: isBlocked }) {
    return {
      current: { saved: await host.file(path) },
      desired: { saved: content === null ? absent(path) : file(path, content, own) },
      blocked: isBlocked ? [blocked('override', 'somebody else rules it', 'ask them')] : [],
    }
  },
  apply: ({ saved }, { step, undo, impact, leaves: path }) => [
    saved && write(saved.after),
    step && run(step, { undo, as: me, impact, ...(path !== undefined && { leaves: [{ kind: 'unknown', path }] }) }),
  ],
})

/** Wants a file to be the copy of another. */
export const copy = defineModule({
  name: 'copy',
  description: 'Copies a file.',
  params: z.strictObject({ from: z.string(), to: z.string(), byCommand: z.boolean().default(false) }),
  impact: 'restart',
  owns: ({ to }) => [to],
  async check(host, { from, to, byCommand }) {
    const [source, saved] = await Promise.all([
      byCommand ? host.command(['cat', from], { dependsOn: [from] }) : host.file(from),
      host.file(to),
    ])
    const content = 'stdout' in source ? source.stdout : (source.content ?? '')
    return { current: { saved }, desired: { saved: file(to, content, own) } }
  },
  apply: ({ saved }) => [saved && write(saved.after)],
})

/** This machine, by a shell of it; counts the trips. */
export function hostAtHand(connection: Connection = shellConnection()) {
  const counted = countTrips(connection, 'here')
  return {
    connection: counted,
    freshReader: () => batchReads(counted, { deadlineMs: 60_000 }),
    trips: counted.trips,
  }
}
