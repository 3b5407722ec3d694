import { AbsolutePath, defineModule, file, write } from 'sak-reconcile'
import { z } from 'zod'

/** Keeps the message of the day. */
export const motd = defineModule({
  name: 'motd',
  description: 'Keeps the message of the day.',
  params: z.strictObject({
    text: z.string().describe('What people read when they log in'),
    path: AbsolutePath.default('/etc/motd').describe('The file'),
  }),
  impact: 'none',
  example: { text: 'Managed by sak-reconcile' },
  keys: { saved: 'the file, with its mode and owner' },
  owns: ({ path }) => [path],
  check: async (host, { path, text }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: file(path, `${text}\n`) },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})
