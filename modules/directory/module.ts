import {
  blocked,
  type Checked,
  type DirectoryState,
  defineModule,
  type Host,
  makeDirectory,
  orUnreadable,
  otherThan,
  type Place,
  readPlace,
  removeDirectory,
  type Unreadable,
  unknownOwners,
} from 'sak-reconcile'
import { type Contents, mountsBelow, nothing, readContents } from './contents.ts'
import { Params } from './params.ts'
import { missingParents } from './parents.ts'

interface State {
  readonly saved: DirectoryState | null
  /** Directories above it that are to be made. */
  readonly parents: readonly DirectoryState[]
  /** What is to be removed with it. */
  readonly contents: Contents
}
type Found = Checked<{ [K in keyof State]: State[K] | Unreadable }, State>

/** Keeps a directory: its mode and owner; or that there is none. */
export const directory = defineModule({
  name: 'directory',
  description: 'Keeps a directory: its mode and owner; or that there is none.',
  params: Params,
  impact: 'data',
  example: { path: '/srv/app', owner: 'ubuntu', mode: '0750' },
  keys: {
    saved: 'the directory: mode, owner and group',
    parents: 'directories above it that are to be made',
    contents: 'what is to be removed with it',
  },
  impactOf: ({ recurse }) => (recurse ? 'data' : 'none'),
  owns: ({ path }) => [path],

  async check(host, params): Promise<Found> {
    const place = await orUnreadable(readPlace(host, params.path))
    if ('kind' in place) {
      return { current: { ...none, saved: place }, desired: { ...none, saved: desiredState(params) } }
    }
    return params.absent ? checkAbsent(host, place, params.recurse) : checkPresent(host, place, params)
  },

  apply: ({ saved, parents }, { path, recurse }) => [
    ...(parents?.after ?? []).map(makeDirectory),
    saved && (saved.after ? makeDirectory(saved.after) : removeDirectory(path, { recurse })),
  ],
})

/** No parents to make, no directory, no contents to remove: in the order in which they are told. */
const none = { parents: [], saved: null, contents: nothing }

const desiredState = ({ path, mode, owner, group = owner, absent }: Params) =>
  absent ? null : ({ kind: 'directory', path, mode, owner, group } as const)

function currentState({ path, stat }: Place) {
  if (!stat) return null
  const { mode, owner, group } = stat
  return { kind: 'directory', path, mode, owner, group } as const
}

async function checkPresent(host: Host, place: Place, params: Params): Promise<Found> {
  const { path, owner, group = owner } = params
  const [made, owners] = await Promise.all([
    place.parent ? { parents: [], obstacles: [] } : missingParents(host, path),
    unknownOwners(host, { owner, group }),
  ])
  const aboveIsNone = place.parent && place.parent.type !== 'directory'
  const missing = made.parents.length > 0 && !params.parents ? [noParent(path, made.parents[0]?.path ?? '')] : []
  return {
    current: { ...none, saved: currentState(place) },
    desired: { ...none, saved: desiredState(params), parents: params.parents ? made.parents : [] },
    blocked: [
      ...inTheWay(place),
      ...made.obstacles,
      ...missing,
      ...(aboveIsNone ? [blocked('refused', `what is to hold ${path} is not a directory`)] : []),
      ...owners,
    ],
  }
}

const noParent = (path: string, above: string) =>
  blocked('no-such-path', `there is no directory ${above} to make ${path} in`, 'parents: true makes it too')

/** A link is a place of its own: whoever rules it by this path would rule what it leads to by accident. */
function inTheWay({ path, link, stat }: Place) {
  if (link === null) return otherThan('directory', path, stat)
  return [
    blocked(
      'refused',
      `${path} is a symbolic link to ${link}`,
      'rule the directory that it leads to, or remove the link',
    ),
  ]
}

async function checkAbsent(host: Host, place: Place, recurse: boolean): Promise<Found> {
  const { path } = place
  const obstacles = inTheWay(place)
  if (obstacles.length > 0 || !place.stat) {
    return { current: { ...none, saved: currentState(place) }, desired: { ...none, saved: null }, blocked: obstacles }
  }
  const [contents, mounts] = await Promise.all([readContents(host, path), mountsBelow(host, path)])
  const isFull = contents.entries > 0 && !recurse
  return {
    current: { ...none, saved: currentState(place), contents: recurse ? contents : nothing },
    desired: { ...none, saved: null },
    blocked: [
      ...(isFull
        ? [
            blocked(
              'refused',
              `${path} is not empty: it holds ${contents.names.join(', ')}${contents.entries > contents.names.length ? ` and more, ${contents.entries} in all` : ''}`,
              'recurse: true removes all of it',
            ),
          ]
        : []),
      ...mounts.map(mount => blocked('refused', `a file system is mounted on ${mount}`, 'unmount it first')),
    ],
  }
}
