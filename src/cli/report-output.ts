import { writeFile } from 'node:fs/promises'
import type { RunEvent } from '../core/report.ts'
import { jsonReport } from '../reports/json.ts'
import { textReport } from '../reports/text.ts'
import type { CliOptions } from './options.ts'

/** The report, to where the options say: lines as they come on stdout, or a file once all are there. */
export function reportTo({ format, output, quiet, verbose, color }: CliOptions) {
  const parts: string[] = []
  const write = (text: string) => {
    if (output === undefined) process.stdout.write(text)
    else parts.push(text)
  }
  const useColor = color && output === undefined && wantsColor()
  const onEvent: (event: RunEvent) => void =
    format === 'json' ? jsonReport(write) : textReport({ color: useColor, quiet, verbose, write })
  const finish = async () => {
    if (output !== undefined) await writeFile(output, parts.join(''))
  }
  return { onEvent, finish }
}

function wantsColor(): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR && FORCE_COLOR !== '0') return true
  return process.stdout.isTTY === true && TERM !== 'dumb'
}
