/** Which files `docker compose` reads in a directory. */
import { posix } from 'node:path'
import {
  blocked,
  type FileRead,
  type FileState,
  type Host,
  inSync,
  run,
  type SakError,
  type Step,
  write,
} from 'sak-reconcile'
import type { Params } from './params.ts'

/** Compose takes the first that is there, and the first of the overrides over it (compose-go, cli/options.go). */
const names = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

/** The files that may have to change, as far as params can tell: without a host nobody knows which of the names is there. */
export function possiblePaths({ project, file }: Params): readonly string[] {
  return file ?? names.map(name => posix.join(project ?? '/', name))
}

export interface ComposeFiles {
  /** Where compose is run. */
  readonly directory: string
  readonly files: readonly FileRead[]
}

/** The files of a project, in the order in which they are laid over each other. */
export async function composeFiles(host: Host, { project, file }: Params): Promise<ComposeFiles | SakError> {
  if (file) return listed(host, posix.dirname(file[0] ?? '/'), file)
  const directory = project ?? '/'
  const at = (name: string) => host.file(posix.join(directory, name))
  const [environment, bases, overrides] = await Promise.all([
    at('.env'),
    Promise.all(names.map(at)),
    Promise.all(overrideNames.map(at)),
  ])
  const chosen = composeFileOf(environment.content ?? '')
  if (chosen)
    return listed(
      host,
      directory,
      chosen.map(path => posix.resolve(directory, path)),
    )
  const isThere = ({ content }: FileRead) => content !== null
  const base = bases.find(isThere)
  const override = overrides.find(isThere)
  if (base) return { directory, files: override ? [base, override] : [base] }
  return blocked('refused', `there is no compose file in ${directory}`, `compose looks for ${names.join(', ')}`)
}

async function listed(host: Host, directory: string, paths: readonly string[]): Promise<ComposeFiles | SakError> {
  const files = await Promise.all(paths.map(path => host.file(path)))
  const missing = files.find(({ content }) => content === null)
  if (!missing) return { directory, files }
  return blocked('refused', `there is no ${missing.path}`, 'the file must be there before its limits can be kept')
}

/** What `COMPOSE_FILE` in a project's .env names instead of the usual files. */
export function composeFileOf(environment: string): readonly string[] | undefined {
  const variable = (name: string) =>
    new RegExp(
      `^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(?:"([^"\\n]*)"|'([^'\\n]*)'|([^#\\r\\n]*?))[ \\t]*(?:#.*)?\\r?$`,
      'm',
    )
      .exec(environment)
      ?.slice(1)
      .find(value => value !== undefined)
  const value = variable('COMPOSE_FILE')
  if (value === undefined || value === '') return undefined
  return value.split(variable('COMPOSE_PATH_SEPARATOR') || ':')
}

/** The files that differ, written where compose accepts the whole: before it is in its place, where that is one file. */
export function fileSteps(
  directory: string,
  before: readonly FileRead[],
  after: readonly FileState[],
): readonly Step[] {
  const paths = after.map(({ path }) => path)
  const differing = after.filter((file, index) => !inSync(before[index], file))
  const config = (files: readonly string[]) => [
    ...['docker', 'compose', '--project-directory', directory],
    ...files.flatMap(file => ['-f', file]),
    ...['config', '--quiet'],
  ]
  const writes = differing.map(file => {
    const validate = { argv: config(paths.map(path => (path === file.path ? '{}' : path))) }
    const { content } = before.find(({ path }) => path === file.path) ?? {}
    return write(file, {
      ...(typeof content === 'string' && { madeFrom: content }),
      ...(differing.length === 1 && { validate }),
    })
  })
  if (differing.length < 2) return writes
  return [
    ...writes,
    run(config(paths), { title: 'check the files together (docker compose config)', undo: 'resumable' }),
  ]
}
