import { z } from 'zod'
import { AdviceOptions } from './core/advice.ts'
import { SakError } from './core/errors.ts'
import { describeIssues } from './core/issues.ts'
import { isPlaybook, isPlaybookFactory } from './core/playbook.ts'
import { Health, MaxFail, Serial } from './core/rollout.ts'
import { impacts } from './core/step.ts'
import { Duration } from './core/units.ts'
import type { ApplyPlanOptions, ReconcileOptions } from './run.ts'

const callback = z.custom(value => typeof value === 'function', { error: 'expected a function' })
const names = z.array(z.string())

const schema = z.strictObject({
  playbook: z.custom(value => isPlaybook(value) || isPlaybookFactory(value), {
    error: 'expected a playbook, as definePlaybook({ ... }) and t3Small({ ... }) make them',
  }),
  inventory: z.unknown().optional(),
  dryRun: z.boolean().optional(),
  limit: z.union([z.string(), names]).optional(),
  tags: names.optional(),
  skipTags: names.optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  advice: AdviceOptions.optional(),
  forks: z.int().positive().optional(),
  serial: Serial.optional(),
  maxFail: MaxFail.optional(),
  health: Health.optional(),
  allow: z.enum(impacts).optional(),
  allowOverBudget: z.boolean().optional(),
  connect: z.looseObject({}).optional(),
  lockWaitSeconds: z.number().nonnegative().optional(),
  hostDeadline: Duration.optional(),
  onEvent: callback.optional(),
  onIntents: callback.optional(),
  signal: z.custom(value => typeof value === 'object', { error: 'expected an AbortSignal' }).optional(),
  confirm: callback.optional(),
  allowDeferred: z.boolean().optional(),
} satisfies Record<keyof (ReconcileOptions & ApplyPlanOptions), z.ZodType>)

/**
 * What types say in TypeScript, said also where there are none: an option that is misspelt (`dryrun`) must not be left out, and
 * so be taken for a wish to apply. Throws SakError `usage`.
 */
export function checkOptions(options: unknown): void {
  const { error } = schema.safeParse(options)
  if (error) throw new SakError('usage', `the options of a run: ${describeIssues(error, schema, options)}`)
}
