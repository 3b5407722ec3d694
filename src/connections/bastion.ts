import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSakError, SakError } from '../core/errors.ts'
import type { Hop } from './hop.ts'
import type { RunState } from './run-state.ts'
import type { Session } from './ssh.ts'

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED */
const administrativelyProhibited = 1

/** A jump host, logged in to once for all hosts behind it. */
export interface Bastion {
  users: number
  readonly session: Promise<Session>
}

/** A bastion in use. */
export interface Lease {
  readonly session: Session
  release(): Promise<void>
}

/** The bastion at the end of a way; `open` logs in to it when nobody has yet. */
export async function leaseBastion(via: readonly Hop[], state: RunState, open: () => Promise<Session>): Promise<Lease> {
  const key = JSON.stringify(via.map(({ address, port, user }) => [address, port, user]))
  const bastion = state.bastions.get(key) ?? { users: 0, session: open() }
  state.bastions.set(key, bastion)
  bastion.users++ // before any wait, so that nobody closes it in between
  const forget = () => {
    if (state.bastions.get(key) === bastion) state.bastions.delete(key)
  }
  const session = await bastion.session
  void session.closed.then(forget)
  let released = false
  const release = async () => {
    if (released) return
    released = true
    if (--bastion.users > 0) return
    forget()
    await session.close()
  }
  return { session, release }
}

/** A connection to a server as seen from the bastion. */
export async function dialThrough({ session }: Lease, hop: Hop): Promise<Duplex> {
  const timeout = new AbortController()
  const late = sleep(hop.connectTimeoutMs, undefined, { signal: timeout.signal }).then(() => {
    throw new SakError(
      'connect-timeout',
      `${session.hop.name} did not reach ${hop.address} port ${hop.port} within ${hop.connectTimeoutMs / 1000} s`,
      {
        hint: 'the jump host gets no answer: check the address as seen from there, and firewalls',
      },
    )
  })
  try {
    return await Promise.race([session.ssh.forwardOut('127.0.0.1', 0, hop.address, hop.port), late])
  } catch (cause) {
    throw isSakError(cause) ? cause : notForwarded(session.hop, hop, cause)
  } finally {
    late.catch(() => {})
    timeout.abort()
  }
}

function notForwarded(bastion: Hop, hop: Hop, cause: unknown): SakError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const forbidden = cause instanceof Error && 'reason' in cause && cause.reason === administrativelyProhibited
  return new SakError(
    'unreachable',
    `the jump host ${bastion.name} does not get through to ${hop.address} port ${hop.port}: ${text}`,
    {
      cause,
      hint: forbidden
        ? 'its sshd forbids it: AllowTcpForwarding and PermitOpen'
        : 'check the address and port as seen from the jump host',
    },
  )
}
