import { homedir } from 'node:os'
import type { ConnectOptions } from '../core/connect-options.ts'
import type { Target } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { type Asked, type Hop, proxyJump, toHop } from './hop.ts'
import type { RunState } from './run-state.ts'
import { hostDirectives, readSshConfig } from './ssh-config-file.ts'

/** The way to a host: the servers to log in to one through the other, and then the host itself. */
export interface Route {
  readonly via: readonly Hop[]
  readonly host: Hop
}

/** What the inventory says wins over ~/.ssh/config, which also says how to log in to each jump host. */
export async function findRoute(target: Target, options: ConnectOptions, state: RunState): Promise<Route> {
  const source = { path: options.sshConfigPath, home: options.home ?? homedir() }
  const lines = await state.configs.get('lines', async () => await readSshConfig(source))

  const find = async (asked: Asked, jump: string | undefined, behind: readonly string[]): Promise<Route> => {
    const directives = await hostDirectives(lines, source, asked)
    const host = toHop(asked, directives, options, source.home)
    const via = jump ?? proxyJump(directives, asked.name)
    if (via === undefined || via.toLowerCase() === 'none') return { via: [], host }
    const comma = via.lastIndexOf(',')
    const last = parseJump(via.slice(comma + 1).trim())
    const itself = last.name === asked.name && (last.port ?? 22) === host.port && (last.user ?? host.user) === host.user
    if (itself) return { via: [], host } // as ssh does: `Host *` with a ProxyJump names the jump host too
    const here = [...behind, label(asked)]
    if (here.includes(label(last))) {
      const circle = [...here, label(last)].join(' → ')
      throw new SakError('invalid-config', `ProxyJump goes round in a circle: ${circle}`)
    }
    const before = await find(last, comma < 0 ? undefined : via.slice(0, comma), here)
    return { via: [...before.via, before.host], host }
  }

  const { address: name, port, user, privateKeyPath } = target
  return await find({ name, port, user, privateKeyPath }, options.jump, [])
}

function label({ name, port, user }: Asked): string {
  return `${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`
}

/** `[user@]host[:port]`, the host in brackets where it is an IPv6 address, or an ssh:// URI. */
function parseJump(text: string): Asked {
  const found = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text)
  const name = found?.[2] ?? found?.[3]
  if (found === null || name === undefined) {
    throw new SakError('invalid-config', `"${text}" is no jump host`, { hint: 'write it as [user@]host[:port]' })
  }
  const port = found[4] === undefined ? undefined : Number(found[4])
  return { name, port, user: found[1], privateKeyPath: undefined }
}
