import type { z } from 'zod'
import type { Advice, Silence, SilencedAdvice, Surroundings, TaskRule } from './advice.ts'
import { type Budget, isOver, largestPart } from './budget.ts'
import { isSakError } from './errors.ts'
import { factsOf, type HostFacts, type KnownFacts } from './facts.ts'
import type { Task } from './task.ts'
import { tasksWanted } from './wanted.ts'

/** Advice from this part of the host's memory on. */
const nearLimit = 0.9

const memoryNearLimit = {
  id: 'memory-near-limit',
  source:
    'playbooks/README.md, Memory budget: measured memory stays below what is planned; the page cache needs what is left',
}

/** Rules that look at the host as a whole, and belong to no module. */
export const hostRuleIds: readonly string[] = [memoryNearLimit.id]

/** By the labels of tasks, as a host's report has them. */
export interface Advised {
  readonly advice: readonly Omit<Advice, 'host'>[]
  readonly silenced: readonly Omit<SilencedAdvice, 'host'>[]
}

export const noAdvice: Advised = { advice: [], silenced: [] }

export interface AdviceInput {
  /** Whose rules speak. */
  readonly tasks: readonly Task[]
  /** All tasks of the host, which the rules may look at. */
  readonly whole: readonly Task[]
  readonly known: KnownFacts
  readonly budget: Budget | undefined
  /** Of the run; tasks have their own beside it. */
  readonly silence: Silence
}

/** All that the rules of a host's tasks find, and what of it is silenced. Pure. */
export function advise({ tasks, whole, known, budget, silence }: AdviceInput): Advised {
  const others = tasksWanted(known, whole)
  const facts = factsOf(known)
  const ofTasks = tasksWanted(known, tasks).flatMap(task => {
    const around = surroundings(facts, task, others)
    return (task.advice ?? []).flatMap(rule =>
      findings(rule, around).map(finding => ({ id: rule.id, task, source: rule.source, ...finding })),
    )
  })
  const found = [...ofTasks, ...ofBudget(budget, others)]
  const reasonOf = ({ id, task }: (typeof found)[number]) => task.silence[id] ?? silence[id]
  return {
    advice: found
      .filter(each => reasonOf(each) === undefined)
      .map(({ id, task, message, suggestion, source }) => ({ id, task: task.label, message, suggestion, source })),
    silenced: found.flatMap(each => {
      const reason = reasonOf(each)
      return reason === undefined ? [] : [{ id: each.id, task: each.task.label, reason }]
    }),
  }
}

function surroundings(facts: HostFacts, own: Task, all: readonly Task[]): Surroundings {
  return {
    facts,
    tasksOf: <Schema extends z.ZodType>(module: string, schema: Schema) =>
      all.flatMap(task => {
        if (task.module !== module || task.label === own.label) return []
        const parsed = schema.safeParse(task.params)
        return parsed.success ? [{ label: task.label, params: parsed.data }] : []
      }),
  }
}

/** A rule without the facts that it needs finds nothing. One that breaks says so: it must not hide what the others find. */
function findings(rule: TaskRule, around: Surroundings) {
  try {
    return rule.check(around)
  } catch (error) {
    if (isSakError(error)) return []
    const why = error instanceof Error ? error.message : String(error)
    return [{ message: `this check has a bug: ${why}`, suggestion: 'please report it to the author of the module' }]
  }
}

/** Where the sum fits but barely. What does not fit is refused, and needs no advice. */
function ofBudget(budget: Budget | undefined, tasks: readonly Task[]) {
  if (!budget || isOver(budget) || budget.plannedMiB < nearLimit * budget.ramMiB) return []
  const parts = budget.parts.filter(part => tasks.some(({ label }) => label === part.task))
  const { task: label, MiB } = largestPart({ ...budget, parts })
  const task = tasks.find(each => each.label === label)
  if (!task) return []
  const share = Math.round((budget.plannedMiB / budget.ramMiB) * 100)
  const message = `${share}% of the host's ${budget.ramMiB} MiB are planned: little is left to cache files, and a spike is swapped out`
  const suggestion = `let ${label} use less than its ${MiB} MiB, or take a larger host`
  return [{ ...memoryNearLimit, task, message, suggestion }]
}
