import type { HostReport, Report, TaskReport } from '../core/report.ts'
import { printable, wellFormed } from '../core/terminal.ts'
import { errorDetails, headline, taskDetails } from './plain-task.ts'
import { type Reporter, reportAtEnd } from './reporter.ts'

/**
 * JUnit's XML, as Jenkins' schema has it and GitLab, Azure and others read it: a suite per host, a test case per task. What differs is a
 * failure; what failed or could not be judged is an error, and so is a host that could not be reached.
 */
export function junitReport(write: (text: string) => void): Reporter {
  return reportAtEnd(junit, write)
}

interface TestCase {
  readonly name: string
  readonly outcome?: {
    readonly kind: 'failure' | 'error' | 'skipped'
    readonly type: string
    readonly message: string
    readonly text: string
  }
}

function junit(report: Report): string {
  const suites = report.hosts.map(host => ({ host, cases: casesOf(host) }))
  const all = suites.flatMap(({ cases }) => cases)
  const name = `sak-reconcile ${report.playbook ?? ''}`.trimEnd()
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...counts(all), time: seconds(report.durationMs) })}>`,
    ...suites.flatMap(({ host, cases }) => suiteLines(host, cases, report)),
    '</testsuites>\n',
  ].join('\n')
}

function suiteLines({ name, durationMs }: HostReport, cases: readonly TestCase[], { startedAt }: Report): string[] {
  const skipped = String(cases.filter(({ outcome }) => outcome?.kind === 'skipped').length)
  const about = { timestamp: startedAt.replace(/\.\d+Z$/, ''), hostname: name, time: seconds(durationMs) }
  return [
    `  <testsuite${attributes({ name, ...counts(cases), skipped, ...about })}>`,
    ...cases.map(each => `    ${caseElement(name, each)}`),
    '  </testsuite>',
  ]
}

/** The tasks of a host, and the host itself where something is wrong with it as a whole. */
function casesOf(host: HostReport): readonly TestCase[] {
  const tasks = host.tasks.map(task => testCase(task))
  const { error, status } = host
  if (!error) return tasks
  const message = headline({ status, error, changes: [] })
  return [{ name: 'host', outcome: { kind: 'error', type: error.code, message, text: errorDetails(error) } }, ...tasks]
}

function testCase(task: TaskReport): TestCase {
  const { label, status, error } = task
  const message = headline(task)
  switch (status) {
    case 'ok':
    case 'changed':
      return { name: label }
    case 'skipped':
      return { name: label, outcome: { kind: 'skipped', type: status, message, text: message } }
    case 'drift':
    case 'pending':
    case 'deferred':
      return { name: label, outcome: { kind: 'failure', type: status, message, text: taskDetails(task) } }
    default:
      return {
        name: label,
        outcome: { kind: 'error', type: error?.code ?? status, message, text: taskDetails(task) },
      }
  }
}

function caseElement(host: string, { name, outcome }: TestCase): string {
  const element = `testcase${attributes({ name, classname: host })}`
  if (!outcome) return `<${element}/>`
  const { kind, type, message, text } = outcome
  const about = kind === 'skipped' ? '' : attributes({ type, message }) // older schemas allow no attributes there
  return `<${element}><${kind}${about}>${escaped(text)}</${kind}></testcase>`
}

function counts(cases: readonly TestCase[]) {
  const of = (kind: string) => String(cases.filter(({ outcome }) => outcome?.kind === kind).length)
  return { tests: String(cases.length), failures: of('failure'), errors: of('error') }
}

const seconds = (ms: number) => (ms / 1000).toFixed(3)

const attributes = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`,
    )
    .join('')

/** Text without what XML 1.0 cannot hold, not even escaped. */
const escaped = (text: string): string =>
  wellFormed(printable(text))
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
