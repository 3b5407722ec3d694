import { SakError } from '../core/errors.ts'
import { printable } from '../core/terminal.ts'
import type { Hop } from './hop.ts'

const passing = new WeakSet<SakError>()

/** Whether connecting may well succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof SakError && passing.has(error)
}

function markPassing(error: SakError): SakError {
  passing.add(error)
  return error
}

/** Why no TCP connection came about. */
export function dialFailure(hop: Hop, cause: unknown): SakError {
  const code = codeOf(cause)
  const where = `${hop.address} port ${hop.port}`
  if (code === 'ENOTFOUND') {
    const hint = 'check the address in the inventory, HostName in ~/.ssh/config, and DNS'
    return new SakError('unreachable', `the name ${hop.address} does not resolve`, { cause, hint })
  }
  if (code === 'EAI_AGAIN') {
    const hint = 'the resolver of this machine does not answer: check its network and DNS'
    return markPassing(new SakError('unreachable', `the name ${hop.address} cannot be resolved now`, { cause, hint }))
  }
  if (code === 'ECONNREFUSED') {
    const hint = 'check that sshd runs and listens on this port'
    return markPassing(new SakError('unreachable', `nothing listens at ${where}: connection refused`, { cause, hint }))
  }
  if (code === 'ECONNRESET') return handshakeFailure(hop, cause, '')
  const hint = 'check the address, the network and firewalls in between'
  const text = cause instanceof Error && cause.message !== '' ? cause.message : String(code)
  return markPassing(new SakError('unreachable', `cannot reach ${where}: ${text}`, { cause, hint }))
}

export function dialTimeout(hop: Hop): SakError {
  return new SakError(
    'connect-timeout',
    `${hop.address} port ${hop.port} did not answer within ${hop.connectTimeoutMs / 1000} s`,
    {
      hint: 'a firewall may drop the packets, or the host is down; ConnectTimeout in ~/.ssh/config sets how long to wait',
    },
  )
}

export function handshakeTimeout(hop: Hop, greeting: string): SakError {
  const what =
    greeting === '' ? 'accepted the connection, but sent no SSH banner' : 'stopped in the middle of the key exchange'
  return new SakError('connect-timeout', `${hop.name} ${what} within ${hop.connectTimeoutMs / 1000} s`, {
    hint: 'the host is overloaded, or something else than sshd (a proxy, a load balancer) listens there',
  })
}

export function loginTimeout(hop: Hop): SakError {
  return new SakError(
    'connect-timeout',
    `${hop.name} did not decide on the login within ${hop.authTimeoutMs / 1000} s`,
    {
      hint: 'a slow PAM module, LDAP or DNS on the host (UseDNS no) holds it up',
    },
  )
}

/** Why the key exchange failed. `greeting` is what the server sent first. */
export function handshakeFailure(hop: Hop, cause: unknown, greeting: string): SakError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const said = printable(/^[\s\S]*?SSH-.*$/m.exec(greeting)?.[0] ?? greeting).trim()
  const details = { cause, ...(said === '' ? {} : { said: said.slice(0, 500) }) }
  if (/no matching/i.test(text)) {
    return new SakError(
      'connect-failed',
      `${hop.name} has no key exchange, host key or cipher in common with us: ${text}`,
      {
        ...details,
        hint: 'its sshd is very old or very strict; SHA-1 and DSA are not offered',
      },
    )
  }
  if (greeting !== '' && !/^SSH-/m.test(greeting)) {
    const full = /not allowed at this time|maxstartups/i.test(greeting)
    const error = new SakError(
      'connect-failed',
      full ? `${hop.name} has too many logins going on` : `${hop.name} does not speak SSH`,
      {
        ...details,
        hint: full ? 'raise MaxStartups in its sshd_config' : 'check the port',
      },
    )
    return full ? markPassing(error) : error
  }
  const when = greeting === '' ? 'before it said anything' : 'during the key exchange'
  return markPassing(
    new SakError('connect-failed', `${hop.name} closed the connection ${when}: ${text}`, {
      ...details,
      hint: "sshd may be at its MaxStartups, or refuse our address (PerSourcePenalties, hosts.deny, fail2ban): see the host's auth.log",
    }),
  )
}

/** The connection went while logging in. Not tried again: some servers lock out who comes too often. */
export function loginBroken(hop: Hop, cause: unknown): SakError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new SakError('connect-failed', `${hop.name} closed the connection while we logged in: ${text}`, {
    cause,
    hint: "see the host's auth.log; LoginGraceTime or fail2ban may be at work",
  })
}

export function connectionLost(name: string, cause: unknown): SakError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new SakError('connection-lost', `the connection to ${name} was lost${why}`, {
    cause,
    hint: 'what it was doing may have gone on or stopped there: run again, which looks at what is',
  })
}

export function interrupted(): SakError {
  return new SakError('interrupted', 'given up while connecting')
}

export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}
