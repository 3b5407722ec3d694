import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isSakError, type SakError } from '../core/errors.ts'
import type { Module } from '../core/module.ts'
import { describeStep } from '../core/step.ts'
import type { Assessment, Task } from '../core/task.ts'
import { FakeHostState, fakeHost } from './fake-host.ts'
import { brokenLaws } from './laws.ts'

/** A recorded host: params, its answers, and what must come out. */
export const Case = z.strictObject({
  /** Where the host was recorded, or that it was made by hand. */
  origin: z.string(),
  params: z.unknown(),
  host: FakeHostState,
  expect: z.strictObject({
    /** Keys that differ, in any order. */
    changes: z.array(z.string()),
    /** Codes of what stands in the way. */
    blocked: z.array(z.string()).default([]),
    /** Each step on one line: `write PATH`, `run ARGV`, `service ACTION NAME`, `waitFor ARGV`, `remove PATH`. */
    steps: z.array(z.string()),
  }),
})

export interface CaseResult {
  readonly name: string
  readonly expected: z.output<typeof Case>['expect']
  readonly found: z.output<typeof Case>['expect']
  /** What is left to be desired: laws of every module that this one breaks on the host, see `brokenLaws`. Must be empty. */
  readonly left: readonly string[]
  readonly assessment: Assessment | undefined
}

/** Runs every case of a folder (`<case>/case.json`) against a module, for a test to compare `expected` with `found`. */
export async function runCases(folder: string, module: Module): Promise<readonly CaseResult[]> {
  const names = (await readdir(folder)).sort()
  return Promise.all(names.map(name => runCase(folder, name, module)))
}

async function runCase(folder: string, name: string, module: Module): Promise<CaseResult> {
  const parsed = Case.parse(JSON.parse(await readFile(join(folder, name, 'case.json'), 'utf8')))
  const task = module.parse(parsed.params)
  const found = await assessed(task, parsed.host)
  const left = isSakError(found) ? [] : await brokenLaws(task, parsed.host)
  const assessment = isSakError(found) ? undefined : found
  return { name, expected: sorted(parsed.expect), found: gistOf(found), left, assessment }
}

/** What a task finds on a fake host, or why it cannot be judged. */
export async function assessed(task: Task, host: FakeHostState): Promise<Assessment | SakError> {
  try {
    return await task.assess(fakeHost(host))
  } catch (error) {
    if (isSakError(error)) return error
    throw error
  }
}

/** What a case expects, of what was found. */
export function gistOf(found: Assessment | SakError): z.output<typeof Case>['expect'] {
  if (isSakError(found)) return { changes: [], blocked: [found.code], steps: [] }
  return {
    changes: found.changes.map(change => change.key).sort(),
    blocked: found.blocked.map(error => error.code),
    steps: found.steps.map(describeStep),
  }
}

const sorted = <E extends { changes: string[] }>(expect: E): E => ({ ...expect, changes: [...expect.changes].sort() })
