import { blocked, type SakError } from 'sak-reconcile'
import { level, type Node, placeOf } from './config.ts'
import type { Params } from './params.ts'

/**
 * Sites of others in the way of ours. Nothing is removed for them, whatever `overrides` says: a site is somebody's, and nginx
 * would serve one of the two and ignore the other with a mere warning ("conflicting server name").
 */
export function siteConflicts(elsewhere: readonly Node[], sites: Params['sites']): SakError[] {
  const servers = elsewhere.filter(node => node.name === 'server')
  return Object.entries(sites).flatMap(([name, site]) =>
    servers.flatMap(server => {
      const theirs = valuesOf(server, 'listen')
      const listen = theirs.length > 0 ? theirs : [['80']]
      const shared = site.listen.filter(address => listen.some(([other]) => addressOf(other) === addressOf(address)))
      if (shared.length === 0) return []
      const names = valuesOf(server, 'server_name')
        .flat()
        .map(other => other.toLowerCase())
      const taken = site.server_name.filter(own => names.includes(own.toLowerCase()))
      const isDefault = (args: readonly string[]) => args.includes('default_server') || args.includes('default')
      const bothDefault = shared.some(
        address =>
          isDefault(address.split(/\s+/)) &&
          listen.some(args => isDefault(args) && addressOf(args[0]) === addressOf(address)),
      )
      return [
        ...taken.map(own => conflict(name, server, `answers to ${own} there already`)),
        ...(bothDefault ? [conflict(name, server, 'is the default server there already')] : []),
      ]
    }),
  )
}

function conflict(site: string, server: Node, what: string): SakError {
  const hint = `take that server away (of a stock site: rm ${server.file.path}), or give "${site}" another name or address`
  return blocked('refused', `sites.${site}: the server at ${placeOf(server)} ${what}`, hint)
}

const valuesOf = (server: Node, name: string) =>
  [...level(server.children)].filter(node => node.name === name).map(node => node.args)

/** The address of a `listen`, spelled one way: `80`, `*:80` and `0.0.0.0:80` are the same. */
function addressOf(listen: string | undefined): string {
  const address = (listen ?? '').trim().split(/\s+/)[0] ?? ''
  if (/^\d+$/.test(address)) return `*:${address}`
  if (/^[^:[\]]+$/.test(address)) return `${address}:80`
  return address.replace(/^0\.0\.0\.0:/, '*:')
}
