import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import picomatch from 'picomatch'
import { SakError } from '../core/errors.ts'
import { printable } from '../core/terminal.ts'
import { type ConfigLine, type Directives, evaluate, needsSsh, parseSshConfig, parseSshG } from './ssh-config.ts'

export interface ConfigSource {
  /** A file instead of the user's and the system's; `none` for no file at all. */
  readonly path: string | undefined
  readonly home: string
}

/** The lines of the user's configuration and then of the system's, as ssh reads them. */
export async function readSshConfig({ path, home }: ConfigSource): Promise<readonly ConfigLine[]> {
  if (path === 'none') return []
  const userDirectory = join(home, '.ssh')
  if (path !== undefined) return await readFileLines(path, { home, base: userDirectory, required: true, depth: 0 })
  const user = await readFileLines(join(userDirectory, 'config'), {
    home,
    base: userDirectory,
    required: false,
    depth: 0,
  })
  const system = await readFileLines('/etc/ssh/ssh_config', { home, base: '/etc/ssh', required: false, depth: 0 })
  // each file starts outside of any Host block, as an Include does
  return [...fenced(user), ...fenced(system)]
}

/** What applies to a host as it was named. ssh itself is asked only where the files use what it alone can judge. */
export async function hostDirectives(
  lines: readonly ConfigLine[],
  source: ConfigSource,
  host: { name: string; user: string | undefined; port: number | undefined },
): Promise<Directives> {
  if (!needsSsh(lines)) return evaluate(lines, host.name)
  const args = ['-G', ...(source.path === undefined ? [] : ['-F', source.path])]
  if (host.user !== undefined) args.push('-l', host.user)
  if (host.port !== undefined) args.push('-p', String(host.port))
  try {
    const { stdout } = await promisify(execFile)('ssh', [...args, '--', host.name], {
      timeout: 10_000,
      maxBuffer: 1 << 20,
    })
    return parseSshG(stdout)
  } catch (cause) {
    throw new SakError('invalid-config', `ssh cannot say what its configuration means for ${host.name}`, {
      cause,
      said: printable(String(cause)).slice(0, 2000),
      hint: 'the configuration uses Match or CanonicalizeHostname, which only the ssh command (openssh-client) can judge',
    })
  }
}

interface Reading {
  readonly home: string
  /** Where relative names of Include start. */
  readonly base: string
  readonly required: boolean
  readonly depth: number
}

function fenced(included: readonly ConfigLine[]): ConfigLine[] {
  return included.length === 0 ? [] : [{ keyword: 'include', args: [], file: '', line: 0, included }]
}

async function readFileLines(file: string, reading: Reading): Promise<readonly ConfigLine[]> {
  if (reading.depth > 16) throw new SakError('invalid-config', `${file}: too many Includes within each other`)
  const text = await readOrNothing(file, reading.required)
  if (text === undefined) return []
  const lines = parseSshConfig(text, file)
  return await Promise.all(lines.map(async line => (line.keyword === 'include' ? await follow(line, reading) : line)))
}

async function follow(line: ConfigLine, reading: Reading): Promise<ConfigLine> {
  const included: ConfigLine[] = []
  for (const arg of line.args) {
    const home = arg.replace(/^~(?=\/)/, reading.home)
    for (const file of await expandGlob(isAbsolute(home) ? home : join(reading.base, home))) {
      included.push(...fenced(await readFileLines(file, { ...reading, required: false, depth: reading.depth + 1 })))
    }
  }
  return { ...line, included }
}

async function expandGlob(pattern: string): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) return [pattern]
  const parents = await expandGlob(dirname(pattern))
  const matches = picomatch(pattern.slice(dirname(pattern).length).replace(/^\//, ''), {
    nobrace: true,
    noextglob: true,
  })
  const found = await Promise.all(
    parents.map(async parent => {
      const names = await readdir(parent).catch(() => [])
      return names.filter(name => matches(name)).map(name => join(parent, name))
    }),
  )
  return found.flat().sort()
}

async function readOrNothing(file: string, required: boolean): Promise<string | undefined> {
  try {
    const [text, { mode, uid }] = await Promise.all([readFile(file, 'utf8'), stat(file)])
    if (!required && !file.startsWith('/etc/') && (mode & 0o022 || (uid !== 0 && uid !== process.getuid?.()))) {
      throw new SakError('invalid-config', `${file} may be written by others, so ssh does not trust it`, {
        hint: `chmod go-w ${file}, and let it belong to you`,
      })
    }
    return text
  } catch (cause) {
    const missing =
      cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String(cause.code))
    if (missing && !required) return undefined
    if (cause instanceof SakError) throw cause
    throw new SakError('invalid-config', `cannot read ${file}`, { cause })
  }
}
