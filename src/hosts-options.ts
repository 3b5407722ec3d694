import type { ConnectOptions } from './core/connect-options.ts'
import type { Intent } from './core/drift.ts'
import type { RunEvent } from './core/report.ts'
import type { RolloutOptions } from './core/rollout.ts'
import type { Duration } from './core/units.ts'

/** How a run goes to its hosts. */
export interface HostsOptions extends RolloutOptions {
  /** Hosts at once. Default 50. */
  readonly forks?: number
  readonly connect?: ConnectOptions
  /** Time for each host as a whole; then nothing new starts there. Default 30m. */
  readonly hostDeadline?: Duration
  /** Told what happens, as it happens. */
  readonly onEvent?: (event: RunEvent) => void
  /** Told what the tasks of a host were meant to do, for the history. */
  readonly onIntents?: (host: string, intents: Readonly<Record<string, Intent>>) => void
  /** Once aborted no new host or task starts; steps that run end or undo themselves. */
  readonly signal?: AbortSignal
}
