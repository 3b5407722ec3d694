import type { Report } from '../core/report.ts'
import { advicePieces, namesInShort, silencedReasons } from './advice-pieces.ts'
import { type Html, html } from './html-text.ts'

/** Most pieces that are shown. */
const mostShown = 50
const mostNamed = 5

/** What is known to hurt in what the playbook sets, each piece once for all hosts that it is for. */
export function adviceHtml({ advice = [], silencedAdvice = [] }: Report): Html | undefined {
  if (advice.length + silencedAdvice.length === 0) return undefined
  const pieces = advicePieces(advice)
  const more = pieces.length - mostShown
  const items = pieces.slice(0, mostShown).map(
    ({ id, task, message, suggestion, source, names }) =>
      html`<li><strong>${id}</strong> ${task} on ${namesInShort(names, mostNamed)}<p>${message}</p><p>Rather: ${suggestion}</p><p class="source">${source}</p></li>
`,
  )
  return html`<section aria-labelledby="advice"><h2 id="advice">Advice</h2>
${pieces.length > 0 ? html`<ul class="advice">${items}</ul>` : undefined}${
  more > 0 ? html`<p>and ${more} more</p>` : undefined
}${
  silencedAdvice.length > 0
    ? html`<p class="source">Silenced: ${silencedReasons(silencedAdvice).join(', ')}</p>`
    : undefined
}</section>
`
}
