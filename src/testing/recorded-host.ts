import { posix } from 'node:path'
import { isSakError, SakError } from '../core/errors.ts'
import type { FileRead, Stat } from '../core/file.ts'
import type { Answer, Read } from '../core/host.ts'
import type { FakeHostState } from './fake-host.ts'

type FakeFile = Exclude<NonNullable<FakeHostState['files']>[string], string>
type FakeCommand = NonNullable<FakeHostState['commands']>[number]

/** The fake host that answers reads as a real one did. Throws SakError `unsupported` for what a fake host cannot answer. */
export function recordedHost(reads: readonly { read: Read; answer: Answer | SakError }[]): FakeHostState {
  const files = new Map<string, FakeFile>()
  const commands: FakeCommand[] = []
  const denied = new Set<string>()
  const deniedUsers = new Set<string>()
  for (const { read, answer } of reads) {
    if (isSakError(answer)) {
      if (read.kind === 'file' && answer.code === 'refused') {
        files.set(read.path, { type: 'directory', ...files.get(read.path) })
        continue
      }
      const closed = closedBy(read, answer)
      if ('user' in closed) deniedUsers.add(closed.user)
      else denied.add(closed.path)
      // one that a glob found: without it the fake host would find nothing there, and not refuse
      if (read.kind === 'files' && 'path' in closed) files.set(closed.path, files.get(closed.path) ?? {})
      continue
    }
    if (answer.kind === 'file') keepFile(files, answer.file)
    if (answer.kind === 'files') for (const file of answer.files) keepFile(files, file)
    if (answer.kind === 'stat' && answer.stat && read.kind === 'stat') {
      files.set(read.path, { ...fakeStat(answer.stat), ...files.get(read.path) })
    }
    if (answer.kind === 'link' && answer.target !== null && read.kind === 'link') {
      files.set(read.path, { ...files.get(read.path), link: answer.target })
    }
    if (answer.kind === 'command' && read.kind === 'command') {
      const { as, stdin } = read.options
      commands.push({ argv: [...read.argv], ...(as && { as }), ...(stdin && { stdin }), ...answer.result })
    }
  }
  for (const [path, file] of [...files]) followLink(files, path, file)
  return {
    files: Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1))),
    commands: commands.map(command => withoutNeedlessInput(command, commands)),
    ...(denied.size > 0 && { denied: [...denied] }),
    ...(deniedUsers.size > 0 && { deniedUsers: [...deniedUsers] }),
  }
}

/** What was seen through a link belongs to where it leads. */
function followLink(files: Map<string, FakeFile>, path: string, { link, realPath: _, ...seen }: FakeFile): void {
  if (link === undefined) return
  const target = posix.resolve(posix.dirname(path), link)
  if (Object.keys(seen).length > 0) files.set(target, { ...seen, ...files.get(target) })
  files.set(path, { link })
}

function keepFile(files: Map<string, FakeFile>, { path, content, stat, binary }: FileRead): void {
  if (content === null || !stat) return
  const { size, allocated, ...rest } = fakeStat(stat)
  const isWhole = size === Buffer.byteLength(content)
  files.set(path, {
    ...files.get(path),
    content,
    ...rest,
    ...(!isWhole && { size, allocated }),
    ...(binary && { binary }),
  })
}

function fakeStat({ type, mode, owner, group, size, allocated, mtime, ctime, realPath }: Stat): FakeFile {
  return { type, mode, owner, group, size, allocated, mtime, ctime, ...(realPath !== undefined && { realPath }) }
}

/** What is given to a program stands in the case only where another call has the same arguments. */
function withoutNeedlessInput(command: FakeCommand, all: readonly FakeCommand[]): FakeCommand {
  const { stdin, ...rest } = command
  const same = (other: FakeCommand) => other.as === command.as && other.argv.join('\0') === command.argv.join('\0')
  return all.filter(same).length > 1 && stdin !== undefined ? { ...rest, stdin } : rest
}

function closedBy(read: Read, error: SakError): { path: string } | { user: string } {
  if (error.code === 'needs-root') {
    if (read.kind === 'command') return { user: read.options.as ?? 'root' }
    const path = read.kind === 'files' ? /^only root may read (\/.*)$/s.exec(error.message)?.[1] : read.path
    if (path !== undefined) return { path }
  }
  throw new SakError('unsupported', `what the host said cannot be recorded: ${error.message}`)
}
