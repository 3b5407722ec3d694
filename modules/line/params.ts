import { AbsolutePath, DiffRule, FileMode, orSecret, SecretString, UserName, ValidateCommand } from 'sak-reconcile'
import { z } from 'zod'

const oneLine = z.string().regex(/^[^\r\n\0]*$/, { error: 'expected one line, without its end' })

/** Schema of a pattern that a line matches: a RegExp, or its text. Comes out without what would make it remember. */
const Pattern = z
  .union([z.string(), z.custom<RegExp>(value => value instanceof RegExp, { error: 'expected a regular expression' })])
  .meta({ title: 'regular expression' })
  .transform((pattern, context) => {
    try {
      return typeof pattern === 'string'
        ? new RegExp(pattern)
        : new RegExp(pattern, pattern.flags.replaceAll(/[gy]/g, ''))
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })

export const defaultName = 'managed by sak-reconcile'

export const Params = z
  .strictObject({
    path: AbsolutePath.describe('The file, which is not ours: every other line stays as it is'),
    line: orSecret(oneLine).optional().describe('The line that must stand in it'),
    match: Pattern.optional().describe('The line takes the place of one that matches; with absent, those lines go'),
    block: SecretString.optional().describe(
      'Several lines that must stand in it, between two marking lines, instead of a line',
    ),
    name: oneLine.min(1).optional().describe(`What the marking lines call the block; default: "${defaultName}"`),
    comment: z
      .union([oneLine, z.tuple([oneLine, oneLine])])
      .default('#')
      .describe('What makes the marking lines comments: "#", or what opens and closes one, such as ["<!--", "-->"]'),
    absent: z
      .literal(true)
      .optional()
      .describe('The line, what matches, or the block of that name must not stand in it'),
    after: Pattern.optional().describe('Where something new goes: after the last line that matches'),
    before: Pattern.optional().describe('Where something new goes: before the first line that matches'),
    at: z.enum(['start', 'end']).default('end').describe('Where something new goes without after and before'),
    duplicates: z
      .enum(['refuse', 'merge'])
      .default('refuse')
      .describe('Where several lines match or the block stands there twice: refuse and name them, or leave one'),
    create: z.boolean().default(false).describe('Make the file if there is none'),
    mode: FileMode.default('0644').describe('Mode of a file that is made'),
    owner: UserName.default('root').describe('Owner of a file that is made'),
    group: UserName.optional().describe('Group of a file that is made; default: the group that is called as the owner'),
    links: z
      .enum(['follow', 'refuse'])
      .default('follow')
      .describe('Where a symbolic link stands at the path: write the file behind it, or refuse'),
    validate: ValidateCommand,
    diff: DiffRule,
  })
  .superRefine((params, context) => {
    const issue = problemOf(params)
    if (issue) context.addIssue({ code: 'custom', path: issue.path, message: issue.message })
  })
  .transform(params => ({ ...params, ...markers(params) }))
export type Params = z.output<typeof Params>

interface Stated {
  line?: string | undefined
  match?: RegExp | undefined
  block?: string | undefined
  name?: string | undefined
  comment: string | readonly [string, string]
  absent?: true | undefined
  after?: RegExp | undefined
  before?: RegExp | undefined
}

function problemOf(params: Stated): { path: string[]; message: string } | undefined {
  const { line, match, block, name, absent, after, before } = params
  const isLine = line !== undefined || match !== undefined
  if (isLine && (block !== undefined || name !== undefined)) {
    return { path: [block === undefined ? 'name' : 'block'], message: 'a task rules a line or a block, not both' }
  }
  if (absent && block !== undefined) return { path: ['block'], message: 'with absent, a block is told by its name' }
  if (absent && !isLine && name === undefined)
    return { path: ['absent'], message: 'expected line, match or name with it' }
  if (!absent && line === undefined && block === undefined) return { path: [], message: 'expected line or block' }
  if (after && before) return { path: ['before'], message: 'expected one of after and before' }
  const { begin, end, lines } = markers(params)
  if (begin === end) return { path: ['comment'], message: 'the two marking lines would be the same' }
  if (lines?.some(text => text === begin || text === end)) return { path: ['block'], message: 'holds a marking line' }
  return lines?.some(text => /[\r\0]/.test(text)) ? { path: ['block'], message: 'expected lines of text' } : undefined
}

/** The marking lines, and the lines between them. */
function markers({ name = defaultName, comment, block }: Pick<Stated, 'name' | 'comment' | 'block'>) {
  const [open, close] = typeof comment === 'string' ? [comment, ''] : comment
  const marker = (word: string) => `${open} ${word} ${name} ${close}`.trim()
  const lines = block?.replace(/\r?\n$/, '').split(/\r?\n/)
  return { begin: marker('BEGIN'), end: marker('END'), lines: block === '' ? [] : lines }
}
