import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectOptions } from '../core/connect-options.ts'
import type { Connection, Target } from '../core/connection.ts'
import { isSakError, SakError } from '../core/errors.ts'
import { localUser } from '../core/local-user.ts'
import { traced } from '../core/trace.ts'
import { prepareLogin } from './auth.ts'
import { dialThrough, type Lease, leaseBastion } from './bastion.ts'
import { becoming } from './become.ts'
import { dial } from './dial.ts'
import { isPassing } from './failures.ts'
import type { Hop } from './hop.ts'
import { prepareHostKeys } from './host-key.ts'
import { connectLocally } from './local.ts'
import { findRoute } from './route.ts'
import { type RunState, runState, secret } from './run-state.ts'
import { enter, type Session } from './ssh.ts'
import { sshConnection } from './ssh-connection.ts'

/** Reaches a host. Hosts of one run are to be given the same options object: they share what is in RunState. */
export async function connect(host: Target, options: ConnectOptions = {}): Promise<Connection> {
  const state = runState(options)
  const password = async () => await secret(state, host.becomePassword, options.becomePassword)
  if (host.connection === 'local') return connectLocally(becoming(localUser().username, host), password)

  const route = await findRoute(host, options, state)
  const become = becoming(route.host.user, host)
  const visit: Visit = { options, state, password: async () => await secret(state, host.password, options.password) }
  const lease = await reachBastion(route.via, visit)
  try {
    const session = await logIn(route.host, lease, visit)
    return sshConnection({ session, become, password, release: async () => await lease?.release() })
  } catch (error) {
    await lease?.release()
    throw error
  }
}

interface Visit {
  readonly options: ConnectOptions
  readonly state: RunState
  /** The login password of the host itself; jump hosts take the run's. */
  readonly password: () => Promise<string | undefined>
}

async function reachBastion(via: readonly Hop[], visit: Visit): Promise<Lease | undefined> {
  const bastion = via.at(-1)
  if (bastion === undefined) return undefined
  const { options, state } = visit
  const password = async () => await secret(state, undefined, options.password)
  try {
    return await leaseBastion(via, state, async () => await openBastion(via, bastion, { options, state, password }))
  } catch (error) {
    throw isSakError(error) ? behind(bastion, error) : error
  }
}

async function openBastion(via: readonly Hop[], bastion: Hop, visit: Visit): Promise<Session> {
  const before = await reachBastion(via.slice(0, -1), visit)
  try {
    const session = await logIn(bastion, before, visit)
    void session.closed.then(async () => await before?.release())
    return session
  } catch (error) {
    await before?.release()
    throw error
  }
}

function behind(bastion: Hop, error: SakError): SakError {
  const { code, hint, said } = error
  if (error.message.startsWith('jump host')) return error
  return new SakError(code, `jump host ${bastion.name}: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(said === undefined ? {} : { said }),
  })
}

/** Only this is ever tried again, and only after failures that may pass. */
async function logIn(hop: Hop, lease: Lease | undefined, visit: Visit): Promise<Session> {
  const gate = visit.state.gate(`${lease?.session.hop.name ?? ''} ${hop.address}:${hop.port}`)
  const { retries = 2, signal } = visit.options
  for (let attempt = 0; ; attempt++) {
    try {
      return await gate(async () => await logInOnce(hop, lease, visit))
    } catch (error) {
      if (attempt >= retries || !isPassing(error) || signal?.aborted) throw error
      const pauseMs = 300 * 2 ** attempt * (0.5 + Math.random())
      await sleep(pauseMs, undefined, { ...(signal === undefined ? {} : { signal }) }).catch(() => {})
    }
  }
}

async function logInOnce(hop: Hop, lease: Lease | undefined, { options, state, password }: Visit): Promise<Session> {
  const { signal, passphrase } = options
  const [hostKeys, login] = await Promise.all([
    prepareHostKeys(hop, state),
    prepareLogin(hop, { password, passphrase }, state),
  ])
  const socket: Duplex = await traced('dial', hop.name, () =>
    lease === undefined ? dial(hop, signal) : dialThrough(lease, hop),
  )
  return await enter(socket, { hop, hostKeys, login, signal })
}
