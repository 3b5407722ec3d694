import type { Report, RunEvent } from '../core/report.ts'

/** A report in the making: told what happens, and that there is no more to come. */
export interface Reporter {
  readonly onEvent: (event: RunEvent) => void
  readonly finish: () => void
}

/** A report that is written once all is done, of the run that counts: a plan that was only shown is not in it. */
export function reportAtEnd(render: (report: Report) => string, write: (text: string) => void): Reporter {
  let last: Report | undefined
  return {
    onEvent: event => {
      if (event.type === 'end') last = event.report
      if (event.type === 'timeline' && last) last = { ...last, timeline: [...event.timeline] }
    },
    finish: () => {
      if (last) write(render(last))
    },
  }
}
