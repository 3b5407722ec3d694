import { homedir } from 'node:os'
import type { ConnectOptions } from '../core/connect-options.ts'
import type { Target } from '../core/connection.ts'
import type { SshLogin, SshPart } from '../core/provenance.ts'
import type { Hop } from './hop.ts'
import { findRoute } from './route.ts'
import { runState } from './run-state.ts'
import { needsSsh } from './ssh-config.ts'
import { hostDirectives, readSshConfig } from './ssh-config-file.ts'

/** How ssh's configuration and its defaults would have us log in to a host. Reaches no host. Throws SakError `invalid-config`. */
export async function sshLogin(target: Target, options: ConnectOptions): Promise<SshLogin> {
  const state = runState(options)
  const source = { path: options.sshConfigPath, home: options.home ?? homedir() }
  const lines = await state.configs.get('lines', async () => await readSshConfig(source))
  const { address: name, port, user } = target
  const directives = await hostDirectives(lines, source, { name, port, user })
  const { host, via } = await findRoute(target, options, state)
  const configured = needsSsh(lines) ? 'ssh -G' : 'ssh config'
  const isRenamed = host.address !== name.toLowerCase()
  const part = (keyword: string, value: unknown): SshPart => {
    return { value, from: directives.has(keyword) ? configured : 'default' }
  }
  return {
    address: isRenamed ? part('hostname', host.address) : { value: name, from: 'default' },
    port: part('port', host.port),
    user: part('user', host.user),
    identityFiles: part('identityfile', host.identityFiles),
    jump: via.length === 0 ? undefined : part('proxyjump', via.map(named).join(',')),
  }
}

const named = ({ user, address, port }: Hop) => `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`
