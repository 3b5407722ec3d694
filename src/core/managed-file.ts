import { z } from 'zod'
import type { Checked, Unreadable } from './change.ts'
import { contentOf, type FileRead, type FileState, type LinkState } from './file.ts'
import type { Host } from './host.ts'
import { orUnreadable } from './module.ts'
import { fileObstacles, LinkRule, otherThan, type Place, readPlace, unknownOwners } from './place.ts'
import { remove, type Step, type WriteStep, write } from './step.ts'
import { AbsolutePath, FileMode, UserName } from './units.ts'

/** Schema of a program that must accept a file before it is put in its place. */
export const ValidateCommand = z
  .array(z.string())
  .refine(argv => argv.includes('{}'), {
    error: 'expected an argv with "{}" for the file, such as ["visudo", "-cf", "{}"]',
  })
  .optional()
  .describe('A program that must accept the new file before it is put in its place; "{}" in its argv is that file')

/** Schema of whether reports show what is in a file. */
export const DiffRule = z
  .enum(['show', 'hide'])
  .optional()
  .describe('Whether reports show the content; default: where everybody on the host may read the file')

/** The params of a module that rules one file as a whole. */
export const fileParams = {
  path: AbsolutePath.describe('The file'),
  mode: FileMode.default('0644').describe('Its mode'),
  owner: UserName.default('root').describe('Its owner'),
  group: UserName.optional().describe('Its group; default: the group that is called as the owner'),
  links: LinkRule,
  validate: ValidateCommand,
  diff: DiffRule,
}
const FileParams = z.object(fileParams)
type FileParams = z.output<typeof FileParams>

/** A file of these params that holds these bytes. */
export function desiredFile({ path, mode, owner, group = owner, diff }: FileParams, bytes: Uint8Array): FileState {
  return { kind: 'file', path, ...contentOf(bytes), mode, owner, group, ...(diff === 'hide' && { hidden: true }) }
}

type Saved<S> = { readonly saved: S }

/** Checks a file that a task rules as a whole: the file or link that is there against what should be. */
export async function checkFile(
  host: Host,
  desired: FileState | LinkState,
  { links, diff }: Pick<FileParams, 'links' | 'diff'>,
): Promise<Checked<Saved<FileRead | LinkState | Unreadable>, Saved<FileState | LinkState>>> {
  const { path } = desired
  const [place, owners] = await Promise.all([
    orUnreadable(readPlace(host, path)),
    desired.kind === 'file' ? unknownOwners(host, desired) : [],
    askAhead(host, desired),
  ])
  if ('kind' in place) return { current: { saved: place }, desired: { saved: desired }, blocked: owners }
  const obstacles = obstaclesTo(desired, place, links)
  const [first] = obstacles
  const isHidden = first !== undefined && (place.stat !== null || place.link !== null)
  const saved = isHidden
    ? ({ kind: 'unreadable', error: first } as const)
    : await readSaved(host, place, desired, links)
  return {
    current: { saved },
    desired: {
      saved: desired.kind === 'file' && isClosed(saved, desired, diff) ? { ...desired, hidden: true } : desired,
    },
    blocked: [...obstacles, ...owners],
  }
}

/** Asks for the content in the trip that looks at the place. What comes of it is heard where the content is wanted. */
async function askAhead(host: Host, desired: FileState | LinkState): Promise<void> {
  if (desired.kind === 'link' || desired.content === null) return
  await host.file(desired.path).catch(() => {})
}

function obstaclesTo(desired: FileState | LinkState, place: Place, links: LinkRule) {
  if (desired.kind === 'file' && desired.content !== null) return fileObstacles(place, links)
  const inTheWay = place.link === null ? otherThan('file', place.path, place.stat) : []
  return desired.kind === 'link' ? [...fileObstacles(place, 'replace'), ...inTheWay] : inTheWay
}

async function readSaved(host: Host, { path, link }: Place, desired: FileState | LinkState, links: LinkRule) {
  const asLink = links === 'replace' || desired.kind === 'link' || desired.content === null
  if (link !== null && asLink) return { kind: 'link', path, target: link } as const
  return orUnreadable(host.file(path))
}

/**
 * Whether reports are not to show a content. They are read by more people than may log in: what not everybody on the host may
 * read, or might before, is not shown unless asked for.
 */
export function isClosed(
  current: FileRead | LinkState | Unreadable,
  desired: FileState,
  diff: 'show' | 'hide' | undefined,
): boolean {
  if (diff !== undefined) return diff === 'hide'
  const modes = [desired.mode, current.kind === 'file' ? current.mode : undefined]
  return modes.some(mode => mode !== undefined && (Number.parseInt(mode, 8) & 0o004) === 0)
}

/** The step that puts a file in its place, or takes away what is there. */
export function placeFile(
  desired: FileState | LinkState,
  { links, validate }: Pick<FileParams, 'links' | 'validate'>,
  options: Pick<WriteStep, 'madeFrom'> = {},
): Step {
  if (desired.kind === 'link') return { ...desired, impact: 'none' }
  if (desired.content === null) return remove(desired.path)
  const checked = validate && { validate: { argv: validate } }
  return write(desired, { ...options, ...checked, ...(links === 'replace' && { replaceLink: true }) })
}
