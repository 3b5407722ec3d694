import type { HostReport, Report, ReportStep, TaskReport } from '../core/report.ts'
import { exceeds, greatestImpact, type Impact } from '../core/step.ts'
import { printable } from '../core/terminal.ts'

/** What a person is asked before an apply: how much it is, and the worst of it in words. */
export function applyQuestion(plan: Report): string {
  const hosts = plan.hosts.filter(host => tasksToApply(host).length > 0)
  const tasks = hosts.flatMap(tasksToApply)
  const interrupted = plan.hosts.filter(isInterrupted).length
  const undo = interrupted > 0 ? ` First undo what an earlier run left on ${count(interrupted, 'host')}.` : ''
  return `Apply ${count(tasks.length, 'task')} on ${count(hosts.length, 'host')}? ${riskiest(hosts, greatestImpact(tasks))}${undo}`
}

const tasksToApply = (host: HostReport): readonly TaskReport[] =>
  host.tasks.filter(task => task.status === 'drift' || task.status === 'deferred')

const isInterrupted = ({ status, tasks }: HostReport) =>
  status === 'interrupted' || tasks.some(task => task.status === 'interrupted')

/** The subjects of the greatest impact, the one on most hosts first. */
function riskiest(hosts: readonly HostReport[], worst: Impact): string {
  if (worst === 'none') return 'Nothing is restarted or reloaded.'
  const hostsOf = new Map<string, number>()
  for (const host of hosts) {
    for (const risk of new Set(tasksToApply(host).flatMap(task => risksOf(task, worst)))) {
      hostsOf.set(risk, (hostsOf.get(risk) ?? 0) + 1)
    }
  }
  const risks = [...hostsOf].sort(([, a], [, b]) => b - a).map(([risk, n]) => `${risk} on ${count(n, 'host')}`)
  const more = risks.length > 3 ? `, and ${risks.length - 3} more` : ''
  return `Riskiest: ${risks.slice(0, 3).join(', ')}${more}.`
}

/** The steps of a task that have the impact; of a deferred one nobody knows them yet. */
function risksOf(task: TaskReport, worst: Impact): readonly string[] {
  if (exceeds(worst, task.impact)) return []
  if (task.status === 'deferred') return [`perhaps ${nouns[worst]} by ${printable(task.label)} (known later)`]
  const steps = task.steps.filter(step => step.impact === worst)
  const [first] = steps
  if (!first) return [`${nouns[worst]} by ${printable(task.label)}`]
  // what makes a swap file is many steps, and one risk
  return worst === 'data' ? [`${nouns.data} by ${printable(task.label)}`] : steps.map(step => riskOf(step, worst))
}

const nouns = {
  none: 'nothing',
  reload: 'reload',
  restart: 'restart',
  data: 'change to data, memory or disk',
} as const satisfies Record<Impact, string>

function riskOf({ kind, name, action, argv, title }: ReportStep, impact: Impact): string {
  if (kind === 'service') return `${String(action)} of ${printable(String(name))}`
  if (typeof title === 'string') return `${nouns[impact]} by "${printable(title)}"`
  const [program = '', ...args] = Array.isArray(argv) ? argv.map(String) : []
  const [verb = '', unit] = args
  const own = program.slice(program.lastIndexOf('/') + 1)
  if (own === 'systemctl' && args.length === 2) return `${printable(verb)} of ${printable(unit ?? '')}`
  const line = printable([own, ...args].join(' ')).replaceAll(/\s+/g, ' ')
  return `${nouns[impact]} by "${line.length > 60 ? `${line.slice(0, 59)}…` : line}"`
}

const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`
