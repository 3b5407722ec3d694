import { AbsolutePath, Duration, SecretString, UserName } from 'sak-reconcile'
import { z } from 'zod'

const Argv = z
  .array(z.string().regex(/^[^\0]*$/, { error: 'an argument cannot hold a NUL character' }))
  .min(1, { error: 'expected a program and its arguments, such as ["make", "install"]' })
const Name = z.string().regex(/^[A-Za-z_]\w*$/, { error: 'expected a name such as "NODE_ENV"' })

export const Params = z
  .strictObject({
    argv: Argv.optional().describe('The program and its arguments, each as it is: no shell reads them'),
    shell: z
      .string()
      .min(1)
      .optional()
      .describe('A script for sh instead, run with -eu: it ends at the first command that fails'),
    creates: AbsolutePath.optional().describe('It is done where there is something at this path'),
    removes: AbsolutePath.optional().describe('It is done where there is nothing at this path'),
    unless: Argv.optional().describe('It is done where this program, which only reads, exits with 0'),
    onlyIf: Argv.optional().describe('It is to be done only where this program, which only reads, exits with 0'),
    as: UserName.default('root').describe('Whose hands it needs, and whose eyes its checks'),
    cwd: AbsolutePath.optional().describe('The directory that it and its checks run in'),
    env: z
      .record(Name, z.string())
      .default({})
      .describe(
        'More environment; the rest is a clean one (PATH, HOME, USER). No place for secrets: others on the host may see it',
      ),
    stdin: SecretString.optional().describe('What it reads; not shown in reports, and the place for a secret'),
    impact: z.enum(['none', 'reload', 'restart', 'data']).describe('What it does to those who use the host'),
    undo: z
      .union([z.literal(['resumable', 'none']), z.array(Argv).min(1)])
      .describe('How it goes back where a later step fails: commands, "resumable" (safe to do again) or "none"'),
    changes: z
      .array(AbsolutePath)
      .default([])
      .describe('Paths that it changes: what later tasks read there cannot be foreseen'),
    dependsOn: z
      .array(AbsolutePath)
      .default([])
      .describe(
        'Paths, or globs, that decide what its checks answer: where an earlier task changes one, they cannot be foreseen',
      ),
    timeout: Duration.default('5m').describe('How long it may take; then it is ended, and has failed'),
  })
  .refine(({ argv, shell }) => (argv === undefined) !== (shell === undefined), {
    error: 'expected one of argv and shell',
  })
  .refine(params => params.creates ?? params.removes ?? params.unless ?? params.onlyIf, {
    error: 'expected one of creates, removes, unless and onlyIf: else nobody can tell whether it is done',
  })
export type Params = z.output<typeof Params>
