import { isDeepStrictEqual } from 'node:util'
import { isSakError } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { describeStep, exceeds, type RunStep, type ServiceStep, type Step, type WaitForStep } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { FakeHostState, fakeHost, withFileSteps } from './fake-host.ts'

export interface LawOptions {
  /**
   * The host after a step that runs something, where the test can tell. Without it only files are followed, with what programs say
   * that they leave, and so only keys that begin with `saved` are expected to be in sync after the steps.
   */
  readonly does?: (step: RunStep | ServiceStep | WaitForStep, host: FakeHostState) => FakeHostState
  /** Values that may stand in no argument, title or path of a step. */
  readonly secrets?: readonly string[]
}

/**
 * The laws of every module that do not hold for a task on a host, in words; none where all hold.
 *
 *   assert.deepEqual(await brokenLaws(motd({ text: 'hello' }), { files: { '/etc/motd': 'old' } }), [])
 *
 * A check only reads, and answers the same when it is asked again. What is in sync gives no steps; what differs gives steps, or a
 * reason why not. Steps are plain data, and none has a greater impact than the module says. Once they are done a check finds
 * nothing, and doing them again changes nothing more. No secret shows in a step.
 */
export async function brokenLaws(
  task: Task,
  state: FakeHostState,
  options: LawOptions = {},
): Promise<readonly string[]> {
  const commands: (readonly string[])[] = []
  const first = await assessed(task, watched(fakeHost(state), commands))
  if (!first) return []
  const again = await assessed(task, fakeHost(state))
  return [
    ...commands.filter(writes).map(argv => `the check runs "${argv.join(' ')}", which writes`),
    ...(isDeepStrictEqual(gist(again), gist(first)) ? [] : ['the check answers otherwise when it is asked again']),
    ...ofSteps(task, first, options.secrets ?? []),
    ...(await afterwards(task, state, first, options)),
  ]
}

/** What a task finds; nothing where it cannot be judged at all. */
async function assessed(task: Task, host: Host): Promise<Assessment | undefined> {
  try {
    return await task.assess(host)
  } catch (error) {
    if (isSakError(error)) return undefined
    throw error
  }
}

/** Without `current` and `desired`, which may hold what apply needs. */
const gist = (found: Assessment | undefined) => {
  if (!found) return undefined
  const { changes, steps, blocked } = found
  return { changes, steps, blocked: blocked.map(({ code, message }) => ({ code, message })) }
}

function ofSteps({ impact }: Task, { changes, blocked, steps }: Assessment, secrets: readonly string[]): string[] {
  const keys = changes.map(({ key }) => key).join(', ')
  const isStuck = changes.length > 0 && blocked.length === 0 && steps.length === 0
  const broken = isStuck ? [`${keys} differs, but no step mends it and nothing is said to stand in the way`] : []
  for (const step of steps) {
    const title = describeStep(step)
    if (exceeds(step.impact, impact))
      broken.push(`${title}: its impact "${step.impact}" is greater than the module's "${impact}"`)
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(step)), withoutUndefined(step))) {
      broken.push(`${title}: is no plain data, so that no plan file can hold it`)
    }
    const shown = [title, 'title' in step ? (step.title ?? '') : ''].join('\n')
    if (secrets.some(secret => shown.includes(secret))) broken.push(`a step shows a secret: ${step.kind}`)
  }
  return broken
}

const withoutUndefined = (step: Step) =>
  Object.fromEntries(Object.entries(step).filter(([, value]) => value !== undefined))

/** Applies the steps, and checks again. */
async function afterwards(task: Task, state: FakeHostState, { steps }: Assessment, { does }: LawOptions) {
  if (steps.length === 0) return []
  const once = doSteps(state, steps, does)
  const second = await assessed(task, fakeHost(once))
  if (!second) return ['once the steps are done it cannot be judged any more']
  const left = second.changes.map(({ key }) => key).filter(key => does !== undefined || key.startsWith('saved'))
  const twice = doSteps(once, second.steps, does)
  return [
    ...left.map(key => `once the steps are done, "${key}" still differs`),
    ...(isDeepStrictEqual(files(twice), files(once)) ? [] : ['doing the steps again changes files again']),
  ]
}

function doSteps(state: FakeHostState, steps: readonly Step[], does: LawOptions['does']): FakeHostState {
  return steps.reduce((host, step) => {
    const runs = step.kind === 'run' || step.kind === 'service' || step.kind === 'waitFor'
    const left = withFileSteps(host, [step])
    return runs ? (does?.(step, left) ?? left) : left
  }, state)
}

/** Files in one form, whether they were given as text or as an object. */
const files = (state: FakeHostState) => FakeHostState.parse({ files: state.files }).files

/** Keeps the commands that a check runs. */
function watched(host: Host, commands: (readonly string[])[]): Host {
  return {
    ...host,
    command: (argv, options) => {
      commands.push(argv)
      return host.command(argv, options)
    },
  }
}

const writers =
  /^(rm|mv|cp|tee|touch|mkdir|rmdir|chmod|chown|chgrp|ln|install|dd|truncate|mkswap|swapon|swapoff|kill|useradd|usermod)$/
const changing = /^(start|stop|restart|reload|try-restart|reload-or-restart|enable|disable|mask|unmask|daemon-reload)$/

/** Whether a program is known to be there for writing. What a script does nobody sees from here. */
function writes([program = '', ...args]: readonly string[]): boolean {
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (name === 'systemctl') return args.some(arg => changing.test(arg))
  return writers.test(name) && !args.some(arg => /^--(show|help|version)/.test(arg))
}
