import { posix } from 'node:path'
import { z } from 'zod'
import { SakError } from '../core/errors.ts'
import { bytesOf, type FileRead } from '../core/file.ts'
import { matchesAny } from '../core/glob.ts'
import { type Answer, type Host, hostFrom, type Read } from '../core/host.ts'
import { makeDirectory, type RunStep, type Step, write } from '../core/step.ts'

const FakeFile = z.strictObject({
  content: z.string().default(''),
  mode: z.string().default('0644'),
  owner: z.string().default('root'),
  group: z.string().default('root'),
  type: z.enum(['file', 'directory', 'other']).default('file'),
  size: z.number().optional(),
  allocated: z.number().optional(),
  mtime: z.number().default(0),
  ctime: z.number().default(0),
  realPath: z.string().optional(),
  link: z.string().optional(),
  binary: z.literal(true).optional(),
})

const FakeCommand = z.strictObject({
  argv: z.array(z.string()),
  as: z.string().optional(),
  /** Answers only a command that is given this. Left out: whatever it is given. */
  stdin: z.string().optional(),
  code: z.number().default(0),
  stdout: z.string().default(''),
  stderr: z.string().default(''),
})

/**
 * What a fake host has. `files`: content, or an object with content, mode, owner, group, type, size, allocated, mtime, ctime,
 * realPath, binary; with `link` a symbolic link to there. `commands`: what each program answers, found by argv, `as` and `stdin`. `denied`: globs of what may not be read.
 * `deniedUsers`: users whose eyes it cannot lend.
 */
export const FakeHostState = z.strictObject({
  files: z
    .record(z.string(), z.union([z.string().transform(content => FakeFile.parse({ content })), FakeFile]))
    .default({}),
  commands: z.array(FakeCommand).default([]),
  denied: z.array(z.string()).default([]),
  deniedUsers: z.array(z.string()).default([]),
})
export type FakeHostState = z.input<typeof FakeHostState>

/** A host that answers from data. A command that it does not know is an error that names it; an unknown file is absent. */
export function fakeHost(input: FakeHostState): Host {
  const state = FakeHostState.parse(input)
  return hostFrom(async read => answerFrom(state, read))
}

type State = z.output<typeof FakeHostState>

function answerFrom(state: State, read: Read): Answer {
  switch (read.kind) {
    case 'file':
      return { kind: 'file', file: regularFileOf(state, read.path) }
    case 'files': {
      const paths = Object.keys(state.files).filter(path => matchesAny(path, read.globs))
      const files = paths.filter(path => state.files[path]?.type === 'file').sort()
      return { kind: 'files', files: files.map(path => fileOf(state, path)) }
    }
    case 'stat':
      return { kind: 'stat', stat: fileOf(state, read.path).stat ?? null }
    case 'link':
      return { kind: 'link', target: linkAt(state, read.path) }
    case 'command': {
      const { as } = read.options
      if (as !== undefined && state.deniedUsers.includes(as)) throw new SakError('needs-root', `needs to be ${as}`)
      const found = state.commands.find(
        command =>
          sameArgv(command.argv, read.argv) &&
          (command.as === undefined || command.as === as) &&
          (command.stdin === undefined || command.stdin === read.options.stdin),
      )
      if (!found) throw new Error(`the fake host has no answer for ${JSON.stringify(read.argv)} as ${as ?? 'anyone'}`)
      return { kind: 'command', result: { code: found.code, stdout: found.stdout, stderr: found.stderr } }
    }
  }
}

function sameArgv(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((arg, index) => arg === b[index])
}

function entryOf(state: State, path: string) {
  if (matchesAny(path, state.denied)) throw new SakError('needs-root', `${path} may not be read`)
  return state.files[path]
}

function linkAt(state: State, path: string): string | null {
  const found = entryOf(state, path)
  return found?.link ?? found?.realPath ?? null
}

function fileOf(state: State, path: string): FileRead {
  const found = entryOf(state, path)
  if (!found) return { kind: 'file', path, content: null }
  if (found.link !== undefined) return fileBehind(state, path, posix.resolve(posix.dirname(path), found.link))
  const { content, mode, owner, group, type, mtime, ctime, realPath, binary } = found
  const size = found.size ?? bytesOf({ content, ...(binary && { binary }) }).length
  const allocated = found.allocated ?? size
  const stat = { type, mode, owner, group, size, allocated, mtime, ctime, ...(realPath && { realPath }) }
  return { kind: 'file', path, content, mode, owner, group, stat, ...(binary && { binary }) }
}

/** As a host answers that is asked for the content of a directory. */
function regularFileOf(state: State, path: string): FileRead {
  const file = fileOf(state, path)
  if (file.stat && file.stat.type !== 'file') throw new SakError('refused', `${path} is not a regular file`)
  return file
}

function fileBehind(state: State, path: string, realPath: string): FileRead {
  const { stat, ...file } = fileOf(state, realPath)
  return { ...file, path, ...(stat && { stat: { realPath, ...stat } }) }
}

type Files = NonNullable<FakeHostState['files']>

/** The host after the file steps of a plan: files, directories and links written, made and removed, and what programs say that they leave. */
export function withFileSteps(input: FakeHostState, steps: readonly Step[]): FakeHostState {
  const files: Files = { ...input.files }
  for (const step of steps) doFileStep(files, step)
  return { ...input, files }
}

function doFileStep(files: Files, step: Step): void {
  switch (step.kind) {
    case 'write': {
      const path = step.replaceLink ? step.path : behindLinks(files, step.path)
      const before = files[path]
      const { mode, owner, group } = { ...(typeof before === 'object' && !before.link && before), ...step }
      files[path] = { content: step.content, mode, owner, group, ...(step.binary && { binary: step.binary }) }
      break
    }
    case 'directory':
      files[step.path] = { type: 'directory', mode: step.mode, owner: step.owner, group: step.group }
      break
    case 'link':
      files[step.path] = { link: step.target }
      break
    case 'run':
      for (const state of step.leaves ?? []) doLeft(files, state)
      break
    case 'remove':
      delete files[step.path]
      break
    case 'remove-directory':
      for (const path of Object.keys(files)) if (`${path}/`.startsWith(`${step.path}/`)) delete files[path]
  }
}

function doLeft(files: Files, state: NonNullable<RunStep['leaves']>[number]): void {
  if (state.kind === 'unknown') return
  doFileStep(files, state.kind === 'file' ? write(state) : makeDirectory(state))
}

function behindLinks(files: Files, path: string): string {
  const found = files[path]
  const link = typeof found === 'object' ? found.link : undefined
  return link === undefined ? path : behindLinks(files, posix.resolve(posix.dirname(path), link))
}
