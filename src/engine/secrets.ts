import { SakError } from '../core/errors.ts'
import { type FileRead, isFile, sha256Of } from '../core/file.ts'
import type { Answer, Read } from '../core/host.ts'
import { holdsSecret, replaceTokens, secretName, secretsIn } from '../core/secret.ts'
import { type Command, describeStep, type Step } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { mapTexts } from '../core/texts.ts'
import type { Vault } from '../core/vault.ts'
import type { Reader } from './batch.ts'

/*
 * Modules see tokens, hosts see values. What a host says is masked on its way to a module, so that `current` holds the token that `desired`
 * holds; steps are revealed when their script is built. Values travel on standard input and in the contents of files, and nowhere else.
 */

/** A task whose params and steps are settled, and which is blocked where a secret would stand where others can see it. */
export function sealedTask(task: Task, vault: Vault): Task {
  return {
    ...task,
    assess: async host => {
      const found = await task.assess(host, vault.settle)
      const exposed = found.steps.flatMap(step => exposedBy(step, found))
      return exposed.length === 0 ? found : { ...found, blocked: [...found.blocked, ...exposed], steps: [] }
    },
  }
}

/** A reader whose answers have tokens in the place of values. */
export function sealedReader(reader: Reader, vault: Vault): Reader {
  return {
    ask: async read => masked(await reader.ask(revealedRead(read, vault)), vault),
  }
}

function revealedRead(read: Read, { reveal }: Vault): Read {
  if (read.kind !== 'command' || read.options.stdin === undefined) {
    if (!holdsSecret(read)) return read
    throw exposed(read, read.kind === 'command' ? `the read ${read.argv[0] ?? ''}` : 'a read')
  }
  const { stdin, ...options } = read.options
  const open = { ...read, options }
  if (holdsSecret(open)) throw exposed(open, `the read ${read.argv[0] ?? ''}`)
  return { ...read, options: { ...options, stdin: reveal(stdin) } }
}

function masked(answer: Answer, { mask }: Vault): Answer {
  const maskedFile = (file: FileRead): FileRead => {
    const content = file.content === null ? null : mask(file.content)
    return content === file.content ? file : { ...file, content, sha256: sha256Of(file) }
  }
  switch (answer.kind) {
    case 'command':
      return { ...answer, result: mapTexts(answer.result, text => mask(text)) }
    case 'file':
      return { ...answer, file: maskedFile(answer.file) }
    case 'files':
      return { ...answer, files: answer.files.map(maskedFile) }
    case 'link':
      return { ...answer, target: answer.target === null ? null : mask(answer.target) }
    case 'stat':
      return answer
  }
}

/** Steps with values in the place of tokens, for the script that is sent. */
export function revealedSteps(steps: readonly Step[], { reveal }: Vault): readonly Step[] {
  const bytes = (text: string) =>
    replaceTokens(text, (_id, _form, token) => Buffer.from(reveal(token)).toString('latin1'))
  return steps.map(step =>
    step.kind === 'write' && step.binary
      ? {
          ...step,
          content: bytes(step.content),
          ...(step.madeFrom !== undefined && { madeFrom: bytes(step.madeFrom) }),
        }
      : mapTexts(step, text => reveal(text)),
  )
}

/** Why a step would show a secret to others on the host: in a command line, an environment, a path, a file for all to read. */
function exposedBy(step: Step, { current }: Assessment): SakError[] {
  const open = openParts(step)
  if (holdsSecret(open)) return [exposed(open, describeStep(step))]
  if (step.kind !== 'write' || !holdsSecret(step.content)) return []
  const mode = step.mode ?? modeNow(step.path, current)
  if ((Number.parseInt(mode, 8) & 0o004) === 0) return []
  return [
    new SakError('refused', `everybody on the host could read a secret (${namesIn(step.content)}) in ${step.path}`, {
      hint: `its mode is ${mode}: take 0600, or 0640 where a group is to read it`,
    }),
  ]
}

/** The mode that a file has, and keeps where none is stated. */
function modeNow(path: string, current: object): string {
  const values: unknown[] = Object.values(current).flat()
  return values.filter(isFile).find(file => file.path === path)?.mode ?? '0644'
}

const namesIn = (value: unknown): string => [...secretsIn(value)].map(secretName).join(', ')

function exposed(open: unknown, where: string): SakError {
  return new SakError('refused', `a secret (${namesIn(open)}) would be seen by others on the host: ${where}`, {
    hint: 'command lines, environments and paths are no place for a secret: give it on standard input, or in a file',
  })
}

/** All of a step that others on the host may see: not contents of files, nor what goes to the standard input of programs. */
function openParts(step: Step): unknown {
  switch (step.kind) {
    case 'write': {
      const { content: _, madeFrom: __, validate, ...rest } = step
      return [rest, validate && openCommand(validate)]
    }
    case 'run': {
      const { undo, leaves = [], ...rest } = step
      return [openCommand(rest), Array.isArray(undo) ? undo.map(openCommand) : undo, leaves.map(({ path }) => path)]
    }
    case 'waitFor':
      return openCommand(step)
    case 'remove':
    case 'directory':
    case 'link':
    case 'remove-directory':
    case 'service':
      return step
  }
}

function openCommand({ stdin: _, ...rest }: Command): unknown {
  return rest
}
