import type { Adopted, Host } from 'sak-reconcile'
import { z } from 'zod'
import { level, type Node, readConfig, textOf, walk } from './config.ts'
import { repetitionOf } from './directives.ts'
import { Params } from './params.ts'

type Found = z.input<typeof Params>

/** The first line of what `conf.ejs` writes. */
const ours = '# Written by sak-reconcile (nginxconf).'

/**
 * One task with all directives of `http` and upstreams, wherever they stand: what another file sets as wanted is left there.
 * Sites are taken from a file of ours only. Blocks that the params cannot say (map, types, others' servers) stay as they are.
 */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const [config, build] = await Promise.all([readConfig(host, ''), host.command(['nginx', '-V'])])
  if (build.code === 127) return 'there is no nginx'
  const block = [...level(config.top)].find(node => node.name === 'http')
  const inHttp = [...level(block?.children ?? [])].filter(node => node.name !== 'include')
  const file = config.files.find(({ content }) => content?.startsWith(ours))
  const http = settingsIn(inHttp)
  const upstreams = upstreamsIn(inHttp, keepsAlive(http))
  const sites = sitesIn(inHttp.filter(node => node.file.path === file?.path))
  const given = {
    ...(file && file.path !== '/etc/nginx/conf.d/60-sak.conf' && { path: file.path }),
    ...(isFull(http) && { http }),
    ...(isFull(upstreams) && { upstreams }),
    ...(isFull(sites) && { sites }),
  }
  return Object.keys(given).length > 0 ? [given] : 'its http block sets nothing that the params can say'
}

const isFull = (part: object) => Object.keys(part).length > 0

type Value = string | number | boolean

function settingsIn(nodes: readonly Node[]): Record<string, Value | Value[]> {
  const texts = new Map<string, string[]>()
  for (const node of nodes) {
    if (!node.directive.block) texts.set(node.name, [...(texts.get(node.name) ?? []), argumentsOf(node)])
  }
  const entries = [...texts].map(([name, values]) => {
    const all = repetitionOf(name) === 'type-list' ? [values.join(' ')] : values
    const [only, ...more] = all.map(inParams)
    return [name, only === undefined || more.length > 0 ? all.map(inParams) : only] as const
  })
  return Object.fromEntries(entries.filter(([name, value]) => Params.safeParse({ http: { [name]: value } }).success))
}

const argumentsOf = (node: Node) => textOf(node).slice(node.name.length).trim()

function inParams(text: string): Value {
  if (text === 'on' || text === 'off') return text === 'on'
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}

/** Whether `http` has what the keepalive of an upstream needs: without it the params would ask for more than there is. */
function keepsAlive(settings: Readonly<Record<string, Value | Value[]>>): boolean {
  const { proxy_http_version: version, proxy_set_header: headers = [] } = settings
  return version === '1.1' && [headers].flat().some(header => /^connection\s+(""|'')$/i.test(String(header)))
}

function upstreamsIn(nodes: readonly Node[], withKeepalive: boolean): Found['upstreams'] & object {
  const found = nodes.flatMap(node => {
    const [name = ''] = node.args
    if (node.name !== 'upstream') return []
    const inside = [...level(node.children)]
    const keepalive = inside.find(each => each.name === 'keepalive')?.args[0]
    const balance = Balance.safeParse(inside.find(each => each.args.length === 0)?.name)
    const upstream = {
      servers: inside.filter(each => each.name === 'server').map(argumentsOf),
      ...(keepalive !== undefined && withKeepalive && { keepalive: Number(keepalive) }),
      ...(balance.success && { balance: balance.data }),
    }
    return Params.safeParse({ upstreams: { [name]: upstream } }).success ? [[name, upstream] as const] : []
  })
  return Object.fromEntries(found)
}

const Balance = z.enum(['least_conn', 'ip_hash', 'random'])

/** The servers of our own file, each below a comment with its name. */
function sitesIn(nodes: readonly Node[]): Found['sites'] & object {
  const servers = nodes.filter(node => node.name === 'server')
  return Object.fromEntries(
    servers.flatMap(server => {
      const [, name] = /# (\S+)\n$/.exec((server.file.content ?? '').slice(0, server.directive.start)) ?? []
      const [, upstream] = /^http:\/\/(\S+)$/.exec(argumentsIn(server, 'proxy_pass')[0] ?? '') ?? []
      if (name === undefined || upstream === undefined) return []
      const [root] = argumentsIn(server, 'root')
      const site = {
        listen: argumentsIn(server, 'listen'),
        server_name: argumentsIn(server, 'server_name').flatMap(names => names.split(' ')),
        upstream,
        ...(root !== undefined && { root }),
      }
      return [[name, site] as const]
    }),
  )
}

const argumentsIn = (server: Node, name: string) =>
  [...walk(server.children)].filter(node => node.name === name).map(argumentsOf)
