import { z } from 'zod'
import { AdviceOptions } from './advice.ts'
import { DriftConfig } from './drift-config.ts'
import { SakError } from './errors.ts'
import type { Inventory, InventoryInput } from './inventory.ts'
import { describeIssues } from './issues.ts'
import type { Playbook, PlaybookFactory, Vars } from './playbook.ts'
import { Health, MaxFail, type RolloutOptions, Serial } from './rollout.ts'

/** What a project's `sak.config.{ts,js,mjs,json}` says: what to reconcile, where. Paths are relative to the file. */
export interface Config extends RolloutOptions {
  /** A playbook, or where one is: a file, a package's export, a built-in name. */
  readonly playbook?: Playbook | PlaybookFactory | string
  /** An inventory, or where one is: any of what `-i` takes. */
  readonly inventory?: Inventory | InventoryInput | string | readonly string[]
  /** Params of the playbook. */
  readonly vars?: Vars
  /** Hosts at once. Default 50. */
  readonly forks?: number
  /** Who is told of drift, what is ignored, how long the history is kept. */
  readonly drift?: DriftConfig
  readonly advice?: AdviceOptions
}

/** What may stand in a config; playbooks and inventories as values are checked where they are used. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('Of sak.config.json, for editors.'),
  playbook: z
    .unknown()
    .optional()
    .describe("A playbook, or where one is: a file, a package's export, a built-in name."),
  inventory: z.unknown().optional().describe('An inventory, or where one is: a file, an executable, "host,host,".'),
  vars: z.record(z.string(), z.unknown()).optional().describe('Params of the playbook.'),
  forks: z.int().positive().optional().describe('Hosts at once. Default 50.'),
  advice: AdviceOptions.optional().describe('What of the advice is not to be given.'),
  serial: Serial.optional(),
  maxFail: MaxFail.optional(),
  health: Health.optional(),
  drift: DriftConfig.optional(),
})

/** A typed, checked config. Throws SakError `invalid-config`. */
export function defineConfig(config: Config): Config {
  const parsed = configSchema.safeParse(config)
  if (parsed.success) return config
  throw new SakError('invalid-config', describeIssues(parsed.error, configSchema, config))
}
