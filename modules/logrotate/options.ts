import { FileMode, Size, UserName } from 'sak-reconcile'
import { z } from 'zod'
import { globOfItsOwnRotations, LogGlob } from './paths.ts'

/** The scripts of a stanza, in the manual's order. */
export const scriptNames = ['firstaction', 'prerotate', 'postrotate', 'lastaction', 'preremove'] as const

const flag = (what: string) => z.boolean().optional().describe(what)
const count = (what: string) => z.int().min(0).optional().describe(what)

const Owner = z.strictObject({
  mode: FileMode.optional().describe('Octal mode'),
  owner: UserName.optional().describe('User'),
  group: UserName.optional().describe('Group; needs an owner'),
})
const ownerInOrder = { error: 'logrotate reads mode, owner, group in this order: a group needs an owner' }
const createOwner = Owner.refine(({ owner, group }) => group === undefined || owner !== undefined, ownerInOrder)

/** A word in the file: no blanks, nothing that logrotate reads as the end of the line or of the stanza. */
const word = (what: string, pattern: RegExp, example: string) =>
  z
    .string()
    .regex(pattern, { error: `expected ${example}, without blanks` })
    .optional()
    .describe(what)

const Script = z
  .string()
  .min(1)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$/, { error: 'expected lines of sh without control characters' })
  .refine(script => !/^[\t ]*endscript(?![A-Za-z])/m.test(script), { error: 'a line "endscript" would end the script' })
  .optional()

const program = (what: string) => word(what, /^\/[!-~]+$/, 'the path of a program such as "/usr/bin/zstd"')

const RotationOptions = z.strictObject({
  paths: z.array(LogGlob).min(1).describe('Logs or globs of logs; glob(3) rules, so no braces and no `**`'),
  frequency: z
    .enum(['hourly', 'daily', 'weekly', 'monthly', 'yearly'])
    .optional()
    .describe('How often. `hourly` also makes the timer of logrotate hourly'),
  weekday: z.int().min(0).max(7).optional().describe('With `weekly`: 0 is Sunday, 7 is any day, once in seven days'),
  rotate: z.int().min(-1).optional().describe('How many old logs are kept; -1 is all of them'),
  start: count('The number of the first old log (1)'),
  size: Size.optional().describe('Rotate when bigger than this, whatever the frequency: excludes `frequency`'),
  minsize: Size.optional().describe('Rotate by frequency, but only when bigger than this'),
  maxsize: Size.optional().describe('Rotate by frequency, and also as soon as bigger than this'),
  minage: count('Do not rotate logs younger than this many days'),
  maxage: count('Remove old logs older than this many days'),
  missingok: flag('Without it, a log that is not there is an error, and this task is refused while it is missing'),
  notifempty: flag('Leave empty logs alone; `false` is `ifempty`'),
  ignoreduplicates: flag('Stanzas read later (files go by name) silently lose the logs that this one has'),
  allowhardlink: flag('Rotate logs with several hard links too'),
})

const FileOptions = z.strictObject({
  create: z.union([z.boolean(), createOwner]).optional().describe('Make a new log after the old one was renamed'),
  copy: flag('Copy, and leave the log as it is'),
  copytruncate: flag(
    'Copy, then empty the log where it stands, so that a program that keeps it open goes on writing to it. Default true ' +
      'where nothing else (`create`, `copy`, `renamecopy`, `postrotate`, `lastaction`) tells the program',
  ),
  renamecopy: flag('Rename to a temporary name, run postrotate, then copy'),
  olddir: word('Directory of the old logs, relative to the log', /^[!-~]+$/, 'a directory such as "old"'),
  createolddir: z.union([z.boolean(), createOwner]).optional().describe('Make `olddir` where it is missing'),
  su: z
    .union([
      z.literal('auto'),
      z.literal(false),
      z.strictObject({ user: UserName.describe('User'), group: UserName.describe('Group') }),
    ])
    .default('auto')
    .describe(
      "Who rotates. `'auto'` is the owner and group of the logs' directory where that is not root alone; `false` is none",
    ),
  shred: flag('Overwrite old logs before they are removed'),
  shredcycles: z.int().min(1).optional().describe('How often they are overwritten'),
})

const NameOptions = z.strictObject({
  compress: flag('gzip old logs'),
  delaycompress: flag('Leave the newest of the old logs uncompressed'),
  compresscmd: program('The program that compresses'),
  uncompresscmd: program('The program that undoes compresscmd'),
  compressext: word('File name extension of what compresscmd makes', /^[!-~]+$/, 'an extension such as ".zst"'),
  compressoptions: z
    .string()
    .regex(/^[ -~]+$/, { error: 'expected options such as "-9"' })
    .optional()
    .describe('Options of compresscmd'),
  dateext: flag('Name old logs by date instead of by number'),
  dateformat: word('How: the format of the date', /^[!-~]+$/, 'a format such as "-%Y%m%d"'),
  dateyesterday: z.literal(true).optional().describe("Yesterday's date"),
  datehourago: z.literal(true).optional().describe('The date of an hour ago'),
  extension: word('An extension that old logs keep at the end', /^[!-~]+$/, 'an extension such as ".log"'),
  addextension: word('An extension that old logs get at the end', /^[!-~]+$/, 'an extension such as ".log"'),
  mail: z
    .union([z.literal(false), z.email()])
    .optional()
    .describe('Where a log that is to be removed is mailed'),
  mailfirst: flag('Mail the newest old log instead; `false` is `maillast`'),
})

const ScriptOptions = z.strictObject({
  sharedscripts: flag('Run the scripts once for all logs of the stanza'),
  firstaction: Script.describe('sh, once before all logs'),
  prerotate: Script.describe('sh, before a log is rotated'),
  postrotate: Script.describe('sh, after a log was rotated; the log is $1'),
  lastaction: Script.describe('sh, once after all logs'),
  preremove: Script.describe('sh, before a log is removed'),
})

/** One stanza. Options go by logrotate's own names, `false` is the `no...` of a flag, left out is what logrotate.conf says. */
export const Stanza = RotationOptions.extend(FileOptions.shape)
  .extend(NameOptions.shape)
  .extend(ScriptOptions.shape)
  .superRefine((stanza, context) => {
    for (const [field, message] of contradictions(stanza)) {
      context.addIssue({ code: 'custom', path: [field], message })
    }
  })
export type Stanza = z.output<typeof Stanza>

function* contradictions(stanza: z.output<typeof RotationOptions> & Partial<Stanza>): Generator<[string, string]> {
  const { size, frequency, weekday, copytruncate, create, copy, renamecopy, olddir } = stanza
  if (size !== undefined && frequency !== undefined) {
    yield ['size', 'overrides the frequency: use maxsize (or as soon as) or minsize (but only if), or leave one out']
  }
  if (weekday !== undefined && frequency !== 'weekly') yield ['weekday', 'needs frequency "weekly"']
  if (copytruncate && (copy || renamecopy || (create !== undefined && create !== false))) {
    yield ['copytruncate', 'leaves the log in place, so that create, copy and renamecopy have no effect: leave one out']
  }
  if (stanza.compress === false && stanza.delaycompress) yield ['delaycompress', 'needs compress']
  if (stanza.dateext === false && stanza.dateformat !== undefined) yield ['dateformat', 'needs dateext']
  if (olddir === undefined && stanza.createolddir) yield ['createolddir', 'needs olddir']
  const glob = globOfItsOwnRotations(stanza)
  if (glob !== undefined) {
    yield ['paths', `${glob} matches the rotated logs too, which would be rotated again: narrow it, such as "*.log"`]
  }
}
