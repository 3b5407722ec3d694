import { z } from 'zod'
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
}

const schema = z.strictObject({
  $schema: z.string().optional(),
  playbook: z.unknown().optional(),
  inventory: z.unknown().optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  forks: z.int().positive().optional(),
  serial: Serial.optional(),
  maxFail: MaxFail.optional(),
  health: Health.optional(),
})

/** A typed, checked config. Throws SakError `invalid-config`. */
export function defineConfig(config: Config): Config {
  const parsed = schema.safeParse(config)
  if (parsed.success) return config
  throw new SakError('invalid-config', describeIssues(parsed.error, schema))
}
