import type { Entry } from './configuration.ts'
import type { Rival } from './files.ts'
import type { Found } from './found.ts'
import { parseLines } from './parse.ts'
import { type Setting, show } from './values.ts'

/** A place outside of our file that has the last word over one of our settings. */
export interface Override {
  readonly name: string
  readonly value: string
  /** `ALTER SYSTEM`, `role app`, `/etc/.../99-x.conf line 3` */
  readonly place: string
  /** How a person takes it away. */
  readonly remedy: string
  readonly kind: 'file' | 'system' | 'session' | 'command line'
  /** How `overrides: 'remove'` takes it away; absent where it cannot. */
  readonly removal?: Removal
}

export type Removal =
  /** Among the files that are written. */
  | { readonly kind: 'edit' }
  /** Lines of postgresql.auto.conf: that file may hold a primary's password, so it is not for reports and plans. */
  | { readonly kind: 'lines'; readonly path: string; readonly name: string }
  | { readonly kind: 'sql'; readonly name: string; readonly remove: string; readonly restore: string }

type Same = (name: string, value: string) => boolean

/** Finds every override of the settings: in later files, by ALTER SYSTEM, for roles and databases, on the command line. */
export function findOverrides(
  found: Found,
  names: readonly string[],
  rivals: readonly Rival[],
  same: Same,
): readonly Override[] {
  return [
    ...rivals.flatMap(rival => rival.entries.map(inFile)),
    ...bySystem(found, names, same),
    ...forSessions(found, names, same),
    ...onCommandLine(found, names, same),
  ]
}

function inFile({ name, value, path, number }: Entry): Override {
  const place = `${path} line ${number}`
  return { kind: 'file', name, value, place, remedy: `take it out of ${place}`, removal: { kind: 'edit' } }
}

function bySystem({ auto }: Found, names: readonly string[], same: Same): readonly Override[] {
  if (auto.kind === 'unreadable') return []
  return systemEntries(auto.content ?? '', names, same).map(({ name, value }) => {
    const removal = { kind: 'lines', path: auto.path, name } as const
    return { kind: 'system', name, value, place: 'ALTER SYSTEM', remedy: `run ALTER SYSTEM RESET ${name}`, removal }
  })
}

function systemEntries(
  content: string,
  names: readonly string[],
  same: Same,
): readonly { name: string; value: string }[] {
  const values = new Map(parseLines(content).map(({ name, value }) => [name, value]))
  return names.flatMap(name => {
    const value = values.get(name)
    return value === undefined || same(name, value) ? [] : [{ name, value }]
  })
}

function forSessions({ answer }: Found, names: readonly string[], same: Same): readonly Override[] {
  if (answer.kind !== 'up') return []
  const { standby, sessions } = answer.status
  return sessions.flatMap(({ database, role, config }) =>
    (config ?? []).flatMap((pair): Override[] => {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? []
      if (!names.includes(name.toLowerCase()) || same(name.toLowerCase(), value)) return []
      const target = sessionTarget(database, role)
      const remove = `${target.alter} RESET ${name}`
      const restore = `${target.alter} SET ${name} = ${literals(name, value)}`
      const told = { kind: 'session', name: name.toLowerCase(), value, place: target.place } as const
      if (standby) return [{ ...told, remedy: `run on the primary: ${remove}` }]
      return [{ ...told, remedy: `run ${remove}`, removal: { kind: 'sql', name: told.name, remove, restore } }]
    }),
  )
}

function sessionTarget(database: string | null, role: string | null): { alter: string; place: string } {
  if (role === null && database !== null) {
    return { alter: `ALTER DATABASE ${identifier(database)}`, place: `database ${database}` }
  }
  const who = role === null ? 'ALL' : identifier(role)
  const where = database === null ? '' : ` IN DATABASE ${identifier(database)}`
  const place = role === null ? 'all roles' : `role ${role}`
  return { alter: `ALTER ROLE ${who}${where}`, place: database === null ? place : `${place} in database ${database}` }
}

function onCommandLine(found: Found, names: readonly string[], same: Same): readonly Override[] {
  const options = `${found.cluster.directory}/pg_ctl.conf`
  return commandLineRows(found, names, same).map(row => {
    const told = { kind: 'command line', name: row.name, value: show(row.setting, row) } as const
    const removable = withoutOption(found.tree.files.get(options)?.content ?? '', row.name) !== undefined
    const remedy = `take it out of pg_ctl_options in ${options} and restart`
    if (removable) return { ...told, place: `the command line (${options})`, remedy, removal: { kind: 'edit' } }
    return {
      ...told,
      place: 'the command line (postmaster.opts has it)',
      remedy: 'find what starts the server with it',
    }
  })
}

/** The settings that the server got on its command line and that are not as ours. */
export function commandLineRows({ answer }: Found, names: readonly string[], same: Same): readonly Setting[] {
  if (answer.kind !== 'up') return []
  return answer.status.settings.filter(
    ({ name, source, setting }) => source === 'command line' && names.includes(name) && !same(name, setting),
  )
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`

// settings whose value is a list of names, each quoted by itself (GUC_LIST_QUOTE in guc.c): one literal would become one name
const lists = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]

function literals(name: string, value: string): string {
  if (!lists.includes(name.toLowerCase())) return literal(value)
  const items = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)]
  return items.map(([bare, quoted]) => literal(quoted?.replaceAll('""', '"') ?? bare)).join(', ') || "''"
}

const literal = (value: string) =>
  value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`

/** pg_ctl.conf without the option that sets something; undefined where there is none such to take out. */
export function withoutOption(content: string, name: string): string | undefined {
  const escaped = name.replaceAll('.', '\\.').replaceAll('_', '[-_]')
  // Debian splits the options at blanks, so they come as `-o --work_mem=64MB` or `-o -cwork_mem=64MB`
  const option = new RegExp(`(^[ \\t]*pg_ctl_options[^\\n]*?)[ \\t]*-o[ \\t]*(?:--|-c[ \\t]*)${escaped}=[^\\s']*`, 'im')
  const without = content.replace(option, '$1')
  return without === content ? undefined : without
}
