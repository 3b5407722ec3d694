import { isDeepStrictEqual } from 'node:util'
import type { PlannedHost } from '../core/plan-file.ts'
import type { ReportChange } from '../core/report.ts'

type PlannedTask = PlannedHost['tasks'][number]

/** What is another in a task than it was in the plan that was reviewed, for whoever has to look again; one line each. */
export function whatChanged(before: PlannedTask | undefined, now: PlannedTask | undefined): readonly string[] {
  if (!now) return [`${before?.label}: is in the plan, and is no task of the host now`]
  if (!before) return [`${now.label}: is not in the plan`]
  const of = (line: string) => `${now.label}: ${line}`
  if (before.moduleVersion !== now.moduleVersion) {
    const [was = 'unknown', is = 'unknown'] = [before.moduleVersion, now.moduleVersion]
    return [of(`the module ${now.module} was version ${was}, and is ${is}`)]
  }
  const lines = [
    ...(before.status === now.status ? [] : [`was ${before.status}, is ${now.status}`]),
    ...changedChanges(before.changes, now.changes),
  ]
  if (lines.length > 0) return lines.map(of)
  if (!isDeepStrictEqual(before.steps, now.steps)) return [of('the same differs, and other steps would mend it')]
  return [of('what is shown of it is the same: a secret has another value, or something beside has changed')]
}

const isOf =
  ({ key, path, diff }: ReportChange) =>
  (other: ReportChange) =>
    key === other.key && path === other.path && (diff === undefined) === (other.diff === undefined)

function changedChanges(before: readonly ReportChange[], now: readonly ReportChange[]): readonly string[] {
  const gone = before.filter(change => !now.some(isOf(change)))
  return [
    ...gone.map(change => `${placeOf(change)}: differed then, and does not now`),
    ...now.flatMap(change => changedChange(before.find(isOf(change)), change)),
  ]
}

function changedChange(before: ReportChange | undefined, now: ReportChange): readonly string[] {
  const place = placeOf(now)
  if (!before) return [`${place}: did not differ then, and does now`]
  return [
    ...(isDeepStrictEqual(before.before, now.before) ? [] : [`${place}: found ${wasIs(before.before, now.before)}`]),
    ...(isDeepStrictEqual(before.after, now.after) ? [] : [`${place}: wanted ${wasIs(before.after, now.after)}`]),
  ]
}

const placeOf = ({ key, path }: ReportChange) => (path === undefined ? key : `${key} ${path}`)

/** Of texts only the first line that is another. */
function wasIs(was: unknown, is: unknown): string {
  if (typeof was !== 'string' || typeof is !== 'string') return `was ${shown(was)}, is ${shown(is)}`
  const [then, now] = [was.split('\n'), is.split('\n')]
  const at = then.findIndex((line, index) => line !== now[index])
  const first = at < 0 ? then.length : at
  return `was ${shown(then[first] ?? null)}, is ${shown(now[first] ?? null)}, in line ${first + 1}`
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
