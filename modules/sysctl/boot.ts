import { absent, type FileRead, type FileState, file } from 'sak-reconcile'
import { twinOf } from './keys.ts'
import { type Assignment, commentOut, parseAssignments } from './parse.ts'

/** Where the files lie, the strongest first: a file hides those of the same name in the later directories. */
export const directories = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d',
] as const

/** All files that a reader may read. */
export const configurationGlobs = [
  ...directories.flatMap(directory => [`${directory}/*.conf`, `${directory}/.*.conf`]),
  '/etc/sysctl.conf',
]

/** A program that sets what the files say: its order is not quite the other's. */
interface Reader {
  /** When it runs. */
  readonly when: string
  reads(path: string): boolean
  /** The assignments it carries out, in its order. */
  carriesOut(assignments: readonly Assignment[]): readonly Assignment[]
}

/** At boot. Knows no /etc/sysctl.conf but by the link that Debian 12 has to it, and reads no hidden files. */
const systemd: Reader = {
  when: 'at boot',
  reads: path => path !== '/etc/sysctl.conf' && !fileName(path).startsWith('.'),
  carriesOut(assignments) {
    const byKey = new Map<string, Assignment>()
    for (const assignment of assignments) {
      if (byKey.get(assignment.key)?.value === assignment.value) continue
      byKey.delete(assignment.key)
      byKey.set(assignment.key, assignment)
    }
    return [...byKey.values()]
  },
}

/** `sysctl --system`, by hand or from a package's script, and at boot where there is no systemd. */
const procps: Reader = {
  when: 'when "sysctl --system" runs',
  reads: () => true,
  carriesOut: assignments => assignments.filter(({ value }) => value !== null),
}

/** A line that undoes one of our settings. */
export interface Override {
  readonly assignment: Assignment
  /** The setting that it undoes. */
  readonly key: string
  readonly when: string
}

/**
 * The lines that must go before our file has the last word on every setting, for systemd and for procps alike.
 * `files` are all that are there; ours counts as it should be.
 */
export function findOverrides(
  files: readonly FileRead[],
  ours: FileState,
  settings: Readonly<Record<string, string>>,
): Override[] {
  const found = new Map<string, Override>()
  const all = [...files.filter(({ path }) => path !== ours.path), ours]
  for (const reader of [systemd, procps]) {
    const read = readingOrder(all, reader).flatMap(parseAssignments)
    for (const [key, value] of Object.entries(settings)) {
      for (;;) {
        const last = reader
          .carriesOut(read.filter(assignment => !found.has(place(assignment))))
          .findLast(assignment => decides(assignment, key))
        if (last === undefined || (last.key === key && last.value === value)) break
        found.set(place(last), { assignment: last, key, when: reader.when })
      }
    }
  }
  return [...found.values()]
}

/** Whether a line has a say in a key: names it, or names the key that the kernel holds against it. */
function decides({ key, value }: Assignment, wanted: string): boolean {
  return key === wanted || (key === twinOf(wanted) && value !== null && value !== '0')
}

/** The files in the order in which a reader reads them: by name, whatever their directory; then /etc/sysctl.conf. */
function readingOrder(files: readonly FileRead[], reader: Reader): readonly FileRead[] {
  const byName = new Map<string, FileRead>()
  for (const directory of directories) {
    for (const file of files) {
      const name = fileName(file.path)
      if (file.path === `${directory}/${name}` && reader.reads(file.path) && !byName.has(name)) byName.set(name, file)
    }
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file)
  return [...sorted, ...files.filter(({ path }) => path === '/etc/sysctl.conf' && reader.reads(path))]
}

/** Where files of the same name would hide this one. */
export function hidingPaths(path: string): string[] {
  const strength = directories.findIndex(directory => path === `${directory}/${fileName(path)}`)
  return directories.slice(0, Math.max(0, strength)).map(directory => `${directory}/${fileName(path)}`)
}

/**
 * The files that hold overrides, as they are and as they should be, with those lines commented out. A file of a package is
 * not edited but hidden by a copy in /etc, which outlives the package's upgrades.
 */
export function mendOverrides(overrides: readonly Override[]): { current: FileState[]; desired: FileState[] } {
  const current: FileState[] = []
  const desired: FileState[] = []
  for (const path of new Set(overrides.map(({ assignment }) => realPath(assignment.file)))) {
    const here = overrides.map(({ assignment }) => assignment).filter(({ file }) => realPath(file) === path)
    const [first] = here
    if (first === undefined) continue
    const { content, mode = '0644', owner = 'root', group = 'root' } = first.file
    const target = first.file.path.startsWith('/etc/') ? path : `/etc/sysctl.d/${fileName(path)}`
    const mended = commentOut(content ?? '', new Set(here.map(({ line }) => line)))
    current.push(target === path ? { kind: 'file', path, content, mode, owner, group } : absent(target))
    desired.push(file(target, mended, { mode, owner, group }))
  }
  return { current, desired }
}

function place({ file, line }: Assignment): string {
  return `${realPath(file)}:${line}`
}

function realPath(file: FileRead): string {
  return file.stat?.realPath ?? file.path
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
