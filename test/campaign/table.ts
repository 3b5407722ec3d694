import type { CaseDone } from './campaign.ts'
import { type Verdict, verdicts } from './case.ts'

/** The campaign's table in Markdown: a row for each fault, a column for each subject, in each cell how its points ended. */
export function table(cases: readonly CaseDone[]): string {
  const names = [...new Set(cases.map(({ subject }) => subject))]
  const rows = [...new Set(cases.map(({ fault }) => fault))].map(fault => [
    fault,
    ...names.map(name => cell(cases.filter(each => each.fault === fault && each.subject === name))),
    cell(cases.filter(each => each.fault === fault)),
  ])
  const all = ['all', ...names.map(name => cell(cases.filter(each => each.subject === name))), cell(cases)]
  const lines = [['fault', ...names, 'all'], ['---', ...names.map(() => '---'), '---'], ...rows, all]
  return `${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n\n${legend(cases)}\n`
}

const letters: Record<Verdict, string> = {
  undone: 'u',
  committed: 'c',
  recovered: 'r',
  HALF: 'HALF',
}

function cell(cases: readonly CaseDone[]): string {
  const parts = verdicts.flatMap(verdict => {
    const count = cases.filter(each => each.verdict === verdict).length
    return count > 0 ? [`${count}${letters[verdict]}`] : []
  })
  return parts.join(' ') || '-'
}

function legend(cases: readonly CaseDone[]): string {
  const half = cases.filter(({ verdict }) => verdict === 'HALF').length
  return `${cases.length} cases. u: undone by the transaction itself, c: committed, r: recovered by the next apply. Half: ${half}.`
}

/** One case on a line, with what was wrong. */
export function caseLine({ host, subject, fault, point, verdict, wrong, seconds }: CaseDone): string {
  const where = `${point.what} ${point.step} (call ${point.call})`
  const head = `${host} ${subject}, ${fault} at ${where}: ${verdict}, ${seconds.toFixed(1)} s`
  return [head, ...wrong.map(line => `    ${line}`)].join('\n')
}
