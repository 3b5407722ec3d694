import { type Budget, isOver } from '../core/budget.ts'
import type { HostReport } from '../core/report.ts'
import { namesInShort } from './advice-pieces.ts'
import { type Html, html } from './html-text.ts'

/** Most different budgets that are shown; those that are over first. */
const mostShown = 50

/** The memory of the hosts as stacked bars: hosts with the same plan share one. */
export function budgetsHtml(hosts: readonly HostReport[]): Html | undefined {
  const groups = new Map<string, { budget: Budget; names: string[] }>()
  for (const { name, budget } of hosts) {
    if (!budget) continue
    const key = JSON.stringify(budget)
    const group = groups.get(key) ?? { budget, names: [] }
    group.names.push(name)
    groups.set(key, group)
  }
  if (groups.size === 0) return undefined
  const all = [...groups.values()].sort((a, b) => Number(isOver(b.budget)) - Number(isOver(a.budget)))
  const more = all.length - mostShown
  return html`<section aria-labelledby="memory"><h2 id="memory">Memory</h2>
${all.slice(0, mostShown).map(({ budget, names }) => budgetHtml(budget, names))}${
  more > 0 ? html`<p>and ${more} more</p>` : undefined
}</section>
`
}

const mostNamed = 5

function budgetHtml(budget: Budget, names: readonly string[]): Html {
  const { ramMiB, plannedMiB, parts } = budget
  const whose = namesInShort(names, mostNamed)
  const sum = `${plannedMiB} of ${ramMiB} MiB planned (${Math.round((plannedMiB / ramMiB) * 100)}%)`
  const rows = parts.map(
    ({ task, MiB, what }, index) =>
      html`<tr><th scope="row"><svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="p${index % 8}" width="1" height="1"/></svg> ${task}</th><td>${MiB} MiB</td><td>${what}</td></tr>`,
  )
  return html`<figure><figcaption><strong>${whose}</strong> ${sum}${
    isOver(budget) ? html` <strong class="failed">over budget</strong>` : undefined
  }</figcaption>${bar(budget, sum)}<table class="parts"><thead><tr><th scope="col">task</th><th scope="col">at most</th><th scope="col">how</th></tr></thead><tbody>${rows}</tbody></table></figure>
`
}

/** Parts side by side; a line stands where the host's memory ends. */
function bar({ ramMiB, plannedMiB, parts }: Budget, sum: string): Html {
  const most = Math.max(ramMiB, plannedMiB, 1)
  const at = (MiB: number) => ((MiB / most) * 1000).toFixed(1)
  let x = 0
  const rects = parts.map(({ task, MiB }, index) => {
    const rect = html`<rect class="p${index % 8}" x="${at(x)}" width="${at(MiB)}" height="24"><title>${task}: ${MiB} MiB</title></rect>`
    x += MiB
    return rect
  })
  return html`<svg class="bar" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label="${sum}"><rect class="free" width="${at(ramMiB)}" height="24"/>${rects}<rect class="limit" x="${at(ramMiB - most / 500)}" width="4" height="24"/></svg>`
}
