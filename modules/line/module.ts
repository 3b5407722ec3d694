import {
  blocked,
  type Checked,
  defineModule,
  type FileRead,
  type FileState,
  fileObstacles,
  type Host,
  isClosed,
  orUnreadable,
  partOf,
  readPlace,
  type Unreadable,
  unknownOwners,
  write,
} from 'sak-reconcile'
import { type Edited, editBlock, editLine } from './edit.ts'
import { defaultName, Params } from './params.ts'

type Found = Checked<{ readonly saved: FileRead | Unreadable }, { readonly saved: FileState }>

/** Keeps a line, or a marked block of lines, in a file that is not ours. */
export const line = defineModule({
  name: 'line',
  description: 'Keeps a line, or a marked block of lines, in a file that is not ours.',
  params: Params,
  impact: 'none',
  example: { path: '/etc/hosts', line: '10.0.0.5 db', match: '\\sdb$' },
  keys: { saved: 'the file' },
  owns: ({ path, line, match, name = defaultName }) => {
    if (line === undefined && match === undefined) return [partOf(path, `the block "${name}"`)]
    const parts = [line === undefined ? [] : `the line "${line}"`, match === undefined ? [] : `what matches ${match}`]
    return parts.flat().map(part => partOf(path, part))
  },
  check: checkFileWith,

  apply: ({ saved }, { validate }, current) => [
    saved && write(saved.after, { ...(validate && { validate: { argv: validate } }), ...madeFrom(current.saved) }),
  ],
})

async function checkFileWith(host: Host, params: Params): Promise<Found> {
  const { path, links } = params
  const [place, saved] = await Promise.all([orUnreadable(readPlace(host, path)), orUnreadable(host.file(path))])
  const nothing: FileState = { kind: 'file', path, content: null }
  if (saved.kind === 'unreadable' || 'kind' in place) {
    const [obstacle] = 'kind' in place ? [place.error] : fileObstacles(place, links)
    const error = saved.kind === 'unreadable' ? saved.error : obstacle
    return {
      current: { saved: error ? { kind: 'unreadable', error: obstacle ?? error } : saved },
      desired: { saved: nothing },
    }
  }
  if (saved.content === null) return checkMissing(host, params, saved, fileObstacles(place, links))
  const edited = edit(saved, params)
  if ('refused' in edited) {
    const error = blocked('refused', `${path}: ${edited.refused}`, edited.hint)
    return { current: { saved }, desired: { saved }, blocked: [error, ...fileObstacles(place, links)] }
  }
  const { binary, mode } = saved
  const kept = { ...(binary && { binary }), ...(mode && { mode }) }
  const desired: FileState = { kind: 'file', path, content: edited.content, ...kept }
  const hidden = isClosed(saved, desired, params.diff) && { hidden: true }
  return { current: { saved }, desired: { saved: { ...desired, ...hidden } }, blocked: fileObstacles(place, links) }
}

/** No file: nothing to take a line out of, and something to make only if that was asked for. */
async function checkMissing(
  host: Host,
  params: Params,
  saved: FileRead,
  obstacles: NonNullable<Found['blocked']>,
): Promise<Found> {
  const { path, mode, owner, group = owner, create, absent, diff } = params
  if (absent) return { current: { saved }, desired: { saved } }
  const edited = edit({ ...saved, content: '' }, params)
  const content = 'content' in edited ? edited.content : null
  const desired: FileState = { kind: 'file', path, content, mode, owner, group }
  const hidden = isClosed(saved, desired, diff) && { hidden: true }
  return {
    current: { saved },
    desired: { saved: { ...desired, ...hidden } },
    blocked: [
      ...obstacles,
      ...(create ? [] : [blocked('no-such-path', `there is no file ${path}`, 'create: true makes it')]),
      ...(create && 'refused' in edited ? [blocked('refused', `${path}: ${edited.refused}`, edited.hint)] : []),
      ...(await unknownOwners(host, { owner, group })),
    ],
  }
}

/** A file that is not UTF-8 is edited byte by byte: a character of what we write in is then several. */
function edit({ content, binary }: FileRead, params: Params): Edited {
  const bytes = (text: string) => (binary ? Buffer.from(text).toString('latin1') : text)
  const { line, lines, begin, end, match, absent = false } = params
  const text = content ?? ''
  if (line === undefined && match === undefined) {
    const block = absent ? undefined : (lines ?? []).map(bytes)
    return editBlock(text, { ...params, block, begin: bytes(begin), end: bytes(end) })
  }
  return editLine(text, { ...params, absent, line: line === undefined ? undefined : bytes(line) })
}

/** The step fails where somebody else has changed the file since: their change would be lost. */
function madeFrom(file: FileRead | Unreadable) {
  return file.kind === 'unreadable' || file.content === null ? {} : { madeFrom: file.content }
}
