import { AbsolutePath, FileMode, UserName } from 'sak-reconcile'
import { z } from 'zod'

export const Params = z
  .strictObject({
    path: AbsolutePath.describe('The directory'),
    mode: FileMode.default('0755').describe('Its mode'),
    owner: UserName.default('root').describe('Its owner'),
    group: UserName.optional().describe('Its group; default: the group that is called as the owner'),
    parents: z
      .boolean()
      .default(false)
      .describe('Make missing directories above it too: mode 0755, owner and group of the one that they are made in'),
    absent: z.literal(true).optional().describe('There must be no such directory; it is removed if it is empty'),
    recurse: z.boolean().default(false).describe('With absent: remove all that is in it too'),
  })
  .refine(({ absent, recurse }) => absent || !recurse, {
    path: ['recurse'],
    error: 'goes with absent: true; modes and owners of what is in a directory are for tasks of their own',
  })
  .refine(({ path, absent }) => !absent || /^\/[^/]+\/[^/]/.test(path), {
    path: ['path'],
    error: 'expected a directory below the top level: those of the top level are not removed',
  })
export type Params = z.output<typeof Params>
