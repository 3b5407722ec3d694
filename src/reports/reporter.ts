import type { RunEvent } from '../core/report.ts'

/** A report in the making: told what happens, and that there is no more to come. */
export interface Reporter {
  readonly onEvent: (event: RunEvent) => void
  readonly finish: () => void
}
