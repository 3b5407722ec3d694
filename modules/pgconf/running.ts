import { holdsSecret } from 'sak-reconcile'
import { type Entry, type Tree, winner } from './configuration.ts'
import { entriesWith, type Found } from './found.ts'
import { parseLines, type Status } from './parse.ts'
import { type Meaning, meaningOf, type Setting, sameSetting, show } from './values.ts'

/** How the server stands to the settings: as it is, and as it will be. */
export interface Running {
  readonly current: Readonly<Record<string, string | null>>
  readonly desired: Readonly<Record<string, string | null>>
  /** Settings that only a restart can change. */
  readonly restart: readonly string[]
  /** What `pg_settings.setting` must say once done, where that can be foretold. */
  readonly expected: Readonly<Record<string, string>>
}

interface Want {
  readonly name: string
  readonly text: string
}

/** Compares what runs with what will run once the files are as desired. */
export function compareRunning(found: Found, settings: ReadonlyMap<string, string>, desired: Tree): Running {
  const { answer } = found
  if (answer.kind !== 'up') return whenDown(found)
  const rows = new Map(answer.status.settings.map(row => [row.name, row]))
  const entries = entriesWith(found, desired)
  const wants = [...settings].map(([name, text]) => ({ name, text }))
  const compared = [
    ...wants.map(want => compareWanted(found, rows.get(want.name), want, answer.status.custom)),
    ...found.released.flatMap(name => compareReleased(found, rows.get(name), name, entries)),
  ]
  const restart = compared.some(item => item.restart)
  return collect([...compared, ...(restart ? alsoActivated(found, settings, rows, entries) : [])])
}

interface Compared {
  readonly name: string
  readonly current: string | null
  readonly desired: string | null
  readonly restart: boolean
  readonly expected?: string
}

function collect(compared: readonly Compared[]): Running {
  return {
    current: Object.fromEntries(compared.map(({ name, current }) => [name, current])),
    desired: Object.fromEntries(compared.map(({ name, desired }) => [name, desired])),
    restart: compared.filter(({ restart }) => restart).map(({ name }) => name),
    expected: Object.fromEntries(
      compared.flatMap(({ name, expected }) => (expected === undefined ? [] : [[name, expected]])),
    ),
  }
}

/** A server that is started with the machine should run; one that is not may be down for a reason. */
function whenDown({ start, answer }: Found): Running {
  const none = { restart: [], expected: {} }
  if (answer.kind !== 'down' || start !== 'auto') return { current: {}, desired: {}, ...none }
  return { current: { server: 'down' }, desired: { server: 'up' }, ...none }
}

function compareWanted(
  found: Found,
  row: Setting | undefined,
  { name, text }: Want,
  custom: Status['custom'],
): Compared {
  if (!row) return { name, current: custom?.[name] ?? null, desired: text, restart: false }
  const meaning = meaningOf(text, row)
  const same = meaning.kind === 'known' ? sameSetting(row.setting, meaning.setting, row) : loaded(found, row, text)
  const desired = meaning.kind === 'known' ? show(meaning.setting, row) : text
  return {
    name,
    current: same ? desired : show(row.setting, row),
    desired,
    restart: !same && needsRestart(row),
    ...expected(meaning),
  }
}

/** What the server is asked about goes into its log where that has all statements: not a secret. */
const expected = (meaning: Meaning) =>
  meaning.kind === 'known' && !holdsSecret(meaning.setting) ? { expected: meaning.setting } : {}
const needsRestart = ({ context, source }: Setting) => context === 'postmaster' || source === 'command line'

/**
 * Whether the server has taken this very text from our file as that is now. For values that cannot be compared: -1, that the
 * server replaces by its own choice, or names that it spells in its own way.
 */
function loaded({ answer, tree, path }: Found, row: Setting, text: string): boolean {
  const file = tree.files.get(path)
  if (parseLines(file?.content ?? '').findLast(line => line.name === row.name)?.value !== text) return false
  const changed = file && 'stat' in file ? changeTime(file.stat) : undefined
  if (answer.kind !== 'up' || row.pending || changed === undefined) return false
  return (
    answer.status.loadedAt >= changed && (row.file === path || ['override', 'dynamic default'].includes(row.source))
  )
}

const changeTime = (stat: unknown) =>
  typeof stat === 'object' && stat !== null && 'ctime' in stat && typeof stat.ctime === 'number'
    ? stat.ctime
    : undefined

/** A setting that our file had and will not have: it goes back to another file's value, or the server's own. */
function compareReleased(found: Found, row: Setting | undefined, name: string, entries: readonly Entry[]): Compared[] {
  if (!row || (row.file !== found.path && !row.pending)) return []
  const text = winner(entries, name)?.value ?? row.boot ?? ''
  const meaning = meaningOf(text, row)
  const same = meaning.kind === 'known' && sameSetting(row.setting, meaning.setting, row)
  const desired = meaning.kind === 'known' ? show(meaning.setting, row) : text
  const current = same ? desired : show(row.setting, row)
  return [{ name, current, desired, restart: !same && needsRestart(row), ...expected(meaning) }]
}

/** What waits for a restart for other reasons than ours, and would come with it: nobody should be surprised. */
function alsoActivated(
  found: Found,
  settings: ReadonlyMap<string, string>,
  rows: ReadonlyMap<string, Setting>,
  entries: readonly Entry[],
): readonly Compared[] {
  return [...rows.values()]
    .filter(row => row.pending && !settings.has(row.name) && !found.released.includes(row.name))
    .map(row => {
      const text = winner(entries, row.name)?.value ?? row.boot ?? ''
      const meaning = meaningOf(text, row)
      const desired = meaning.kind === 'known' ? show(meaning.setting, row) : text
      return { name: row.name, current: show(row.setting, row), desired, restart: true }
    })
}
