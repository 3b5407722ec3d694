import { defineModule, file, write } from 'sak-reconcile'
import { z } from 'zod'

/** Keeps the message of the day. */
export const motd = defineModule({
  name: 'motd',
  description: 'Keeps the message of the day.',
  params: z.strictObject({ text: z.string().describe('What people read when they log in') }),
  impact: 'none',
  owns: () => ['/etc/motd'],
  check: async (host, { text }) => ({
    current: { saved: await host.file('/etc/motd') },
    desired: { saved: file('/etc/motd', `${text}\n`) },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})
