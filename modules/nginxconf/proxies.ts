import { level, type Node, placeOf, walk } from './config.ts'
import { insertBefore, type Override, replaceArgs } from './edit.ts'
import type { Params } from './params.ts'

/**
 * Locations of others that proxy to an upstream with keepalive and undo what it needs. Our file sets both directives for
 * all of `http`; but a block with any `proxy_set_header` of its own inherits none, and one may ask for HTTP/1.0.
 */
export function proxiesWithoutKeepalive(http: Node, upstreams: Params['upstreams']): Override[] {
  const names = new Set(
    Object.entries(upstreams).flatMap(([name, { keepalive }]) => (keepalive ? [name.toLowerCase()] : [])),
  )
  if (names.size === 0) return []
  return [...walk(http.children)].flatMap(node => {
    const upstream = node.name === 'proxy_pass' ? upstreamOf(node.args[0] ?? '') : undefined
    if (upstream === undefined || !names.has(upstream)) return []
    return [...badConnection(node, upstream), ...badVersion(node, upstream)]
  })
}

/** The name that an address such as `http://backend/api` may take from an upstream. */
function upstreamOf(address: string): string | undefined {
  return /^https?:\/\/([^/:$?#]+)(?=[/?#]|$)/i.exec(address)?.[1]?.toLowerCase()
}

const useless = (upstream: string) => `so the keepalive of upstream "${upstream}" has no effect there`

function badConnection(proxyPass: Node, upstream: string): Override[] {
  const headers = nearest(proxyPass, 'proxy_set_header')
  const [first] = headers
  if (!first) return []
  const connection = headers.find(node => node.args[0]?.toLowerCase() === 'connection')
  if (!connection) {
    const message = `${placeOf(proxyPass)}: \`proxy_set_header\` at ${placeOf(first)} drops the inherited \`Connection ""\`, ${useless(upstream)}`
    return [{ message, edits: [insertBefore(entryOf(first, proxyPass), 'proxy_set_header Connection "";')] }]
  }
  // Another value may be meant (a WebSocket's `upgrade`, or a variable): only `close` is surely in the way.
  if (connection.args[1]?.toLowerCase() !== 'close') return []
  const message = `${placeOf(connection)} sends \`Connection close\`, ${useless(upstream)}`
  return [{ message, edits: [replaceArgs(connection, `${connection.args[0]} ""`)] }]
}

function badVersion(proxyPass: Node, upstream: string): Override[] {
  const [version] = nearest(proxyPass, 'proxy_http_version')
  if (version?.args[0] !== '1.0') return []
  const message = `${placeOf(version)} has \`proxy_http_version 1.0\`, ${useless(upstream)}`
  return [{ message, edits: [replaceArgs(version, '1.1')] }]
}

/** The directives of a name in the innermost block around a node that has any, below `http`: that is what nginx takes. */
function nearest(node: Node, name: string): Node[] {
  for (let block = node.parent; block && block.name !== 'http'; block = block.parent) {
    const found = [...level(block.children)].filter(child => child.name === name)
    if (found.length > 0) return found
  }
  return []
}

/**
 * The directive before which ours goes: in the block that the headers belong to, and never in a file that others include
 * too. Where proxy_pass stands in the same block and file, before that.
 */
function entryOf(header: Node, proxyPass: Node): Node {
  if (proxyPass.parent === header.parent && proxyPass.file === header.parent?.file) return proxyPass
  let entry = header
  while (entry.include && entry.include.parent === header.parent) entry = entry.include
  return entry
}
