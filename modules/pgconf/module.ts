import { type Checked, defineModule, type FileState, type Unreadable } from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { configuredAddress } from './cluster.ts'
import { currentFiles, desiredFiles } from './files.ts'
import { footprint } from './footprint.ts'
import { entriesWith, type Found, find } from './found.ts'
import { objections } from './objections.ts'
import { findOverrides, type Override } from './overrides.ts'
import { Params, settingsOf } from './params.ts'
import { compareRunning } from './running.ts'
import { type Server, stepsFor } from './steps.ts'
import { meaningOf, sameSetting } from './values.ts'

type Values = Readonly<Record<string, string | null>>

interface Current {
  /** Our file, and each other one that has to change for it. */
  readonly saved: FileState | readonly FileState[]
  readonly running: Values | Unreadable
  /** What has the last word over our file from elsewhere, by its place. */
  readonly overrides: Values | Unreadable
  /** What apply must know; never differs. */
  readonly server: Server
}
type Desired = { readonly [K in keyof Current]: Exclude<Current[K], Unreadable> }

/** Keeps settings of a PostgreSQL cluster: in a file of its conf.d, and in the server that runs. */
export const pgconf = defineModule({
  name: 'pgconf',
  description: 'Settings of a PostgreSQL cluster, in its configuration and in the server that runs',
  params: Params,
  impact: 'restart',
  example: { settings: { shared_buffers: '128MB', max_connections: 50, log_min_duration_statement: '1s' } },
  keys: {
    saved: "our file in the cluster's conf.d, and files that have to change for it",
    running: 'what the server uses, compared by meaning (128MB is 16384 pages of 8kB)',
    overrides: 'what has the last word elsewhere: a later file, ALTER SYSTEM, a role, a database, the command line',
  },
  owns: params => {
    const cluster = params.cluster ?? 'its only cluster'
    const names = [...settingsOf(params).keys()]
    return [`pgconf:${cluster}:${params.file}`, ...names.map(name => `pgconf:${cluster}:${name}`)]
  },
  footprint,
  advice,
  check: async (host, params) => judge(await find(host, params), params),
  adopt,
  apply: ({ saved }, params, current) =>
    stepsFor(current.server, { before: listOf(saved?.before), after: listOf(saved?.after) }, params.answersWithin),
})

const listOf = (files: FileState | readonly FileState[] | undefined): readonly FileState[] =>
  files === undefined ? [] : 'kind' in files ? [files] : files

/** One file stands for itself, so that reports show its path. */
const oneOrMany = (files: readonly FileState[]): FileState | readonly FileState[] =>
  files.length === 1 && files[0] ? files[0] : files

function judge(found: Found, params: Params): Checked<Current, Desired> {
  const settings = settingsOf(params)
  const same = sameness(found, settings)
  const removing = params.overrides === 'remove'
  const plan = desiredFiles(found, settings, same, removing)
  const overrides = findOverrides(found, [...settings.keys()], plan.rivals, same)
  const running = compareRunning(found, settings, plan.tree)
  const server = serverOf(found, entriesWith(found, plan.tree), running, removing ? overrides : [])
  const { answer, auto } = found
  // what may not be read is said once
  const blind = answer.kind === 'unreadable' || auto.kind !== 'unreadable' ? undefined : auto
  return {
    current: {
      saved: oneOrMany(currentFiles(found, plan.files)),
      running: answer.kind === 'unreadable' ? answer : running.current,
      overrides: blind ?? shownOverrides(overrides, removing),
      server,
    },
    desired: { saved: oneOrMany(plan.files), running: running.desired, overrides: {}, server },
    blocked: objections(found, settings, overrides, { changedPaths: changedPaths(plan.files, server), removing }),
  }
}

/** Whether a value means the same as ours for a setting. */
function sameness({ answer }: Found, settings: ReadonlyMap<string, string>): (name: string, value: string) => boolean {
  const rows = new Map(answer.kind === 'up' ? answer.status.settings.map(row => [row.name, row]) : [])
  return (name, value) => {
    const row = rows.get(name)
    const wanted = settings.get(name) ?? ''
    if (!row || wanted === value) return wanted === value
    const [ours, theirs] = [meaningOf(wanted, row), meaningOf(value, row)]
    return ours.kind === 'known' && theirs.kind === 'known' && sameSetting(ours.setting, theirs.setting, row)
  }
}

/** Those that are edited away show in the files' diffs already. */
function shownOverrides(overrides: readonly Override[], removing: boolean): Values {
  const shown = overrides.filter(({ removal }) => !removing || removal?.kind !== 'edit')
  return Object.fromEntries(shown.map(({ place, name, value }) => [`${name} by ${place}`, value]))
}

function changedPaths(files: readonly FileState[], { removals }: Server): readonly string[] {
  return [
    ...files.map(file => file.path),
    ...removals.flatMap(removal => (removal.kind === 'lines' ? removal.path : [])),
  ]
}

function serverOf(
  found: Found,
  entries: Parameters<typeof configuredAddress>[0],
  { restart, expected }: ReturnType<typeof compareRunning>,
  removed: readonly Override[],
): Server {
  const { cluster, answer, start, address, path, hasDirectory } = found
  return {
    cluster,
    state: answer.kind === 'up' ? 'up' : start === 'auto' ? 'down' : 'stays down',
    ...(!hasDirectory && { missingDirectory: `${cluster.directory}/conf.d` }),
    now: address,
    next: configuredAddress(entries),
    path,
    restart,
    expected,
    removals: removed.flatMap(({ removal }) => removal ?? []),
  }
}
