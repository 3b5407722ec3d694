import { level, type Node, placeOf } from './config.ts'
import { appendTo, type Edit, insertBefore, type Override, replaceWith, takeAway } from './edit.ts'
import type { Params } from './params.ts'

type Upstream = Params['upstreams'][string]

/** The directives of an upstream that the params rule; others of a foreign upstream (`zone`, say) stay. */
const groups = [/^(least_conn|ip_hash|random|hash|least_time)$/, /^server$/, /^keepalive$/] as const

/** The upstreams that our file must hold, and those that stand otherwise in another. */
export function decideUpstreams(elsewhere: readonly Node[], { upstreams }: Params) {
  const ours: { name: string; lines: readonly string[] }[] = []
  const overrides: Override[] = []
  for (const [name, upstream] of Object.entries(upstreams)) {
    const standing = elsewhere.find(node => node.name === 'upstream' && sameName(node.args[0], name))
    if (!standing) ours.push({ name, lines: upstreamLines(upstream) })
    else {
      const edits = editsOf(standing, upstreamLines(upstream))
      const wanted = upstreamLines(upstream).join(' ')
      const message = `${placeOf(standing)} has another upstream "${name}", wanted \`${wanted}\``
      if (edits.length > 0) overrides.push({ message, edits })
    }
  }
  return { ours, overrides }
}

const sameName = (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase()

/** The balancing method stands before `keepalive`, as nginx demands. */
function upstreamLines({ servers, keepalive, balance }: Upstream): string[] {
  return [
    ...(balance ? [`${balance};`] : []),
    ...servers.map(server => `server ${server};`),
    ...(keepalive ? [`keepalive ${keepalive};`] : []),
  ]
}

/** What makes a standing upstream the wanted one, directive by directive. */
function editsOf(standing: Node, wanted: readonly string[]): Edit[] {
  const has = [...level(standing.children)].filter(node => node.name !== 'include')
  return groups.flatMap(group => {
    // What the params do not name (no `balance`, no `keepalive`) is left as it is.
    if (!wanted.some(line => group.test(wordOf(line)))) return []
    const theirs = has.filter(node => group.test(node.name))
    const lines = wanted.filter(line => group.test(wordOf(line)))
    const wrong = theirs.filter(node => !lines.some(line => spelled(line) === spellingOf(node)))
    const missing = lines.filter(line => !theirs.some(node => spelled(line) === spellingOf(node)))
    const first = has[0]
    return [
      ...wrong.map((node, index) => {
        const line = missing[index]
        return line === undefined ? takeAway(node) : replaceWith(node, line)
      }),
      ...missing.slice(wrong.length).map(line =>
        // The method goes first; servers before what follows them; keepalive last.
        group === groups[0] && first ? insertBefore(first, line) : appendTo(standing, line),
      ),
    ]
  })
}

const spelled = (line: string) => line.replace(/;$/, '').replace(/\s+/g, ' ')
const spellingOf = (node: Node) => [node.name, ...node.args].join(' ')
const wordOf = (line: string) => /^\w+/.exec(line)?.[0] ?? ''
