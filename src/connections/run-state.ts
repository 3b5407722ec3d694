import pLimit, { type LimitFunction } from 'p-limit'
import type { ParsedKey } from 'ssh2'
import type { ConnectOptions, SecretProvider } from '../core/connect-options.ts'
import type { AgentKeys } from './agent.ts'
import type { Bastion } from './bastion.ts'
import type { KeyFile } from './identities.ts'
import type { KnownHost } from './known-hosts.ts'
import type { ConfigLine } from './ssh-config.ts'

/** sshd drops logins at random from ten unfinished ones on (MaxStartups 10:30:100). */
const loginsAtOnce = 8

/** Asks once per key. A failure is remembered as well: nobody is asked or locked out twice. */
export class Memo<T> {
  private readonly answers = new Map<unknown, Promise<T>>()

  get(key: unknown, ask: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key)
    if (known !== undefined) return known
    const answer = ask()
    this.answers.set(key, answer)
    return answer
  }
}

/** What the hosts of one run share. */
export interface RunState {
  readonly secrets: Memo<string | undefined>
  readonly keyFiles: Memo<KeyFile>
  readonly agents: Memo<AgentKeys>
  /** The key of an encrypted file, or why there is none. */
  readonly unlocked: Memo<ParsedKey | string>
  readonly knownHosts: Memo<KnownHost[]>
  readonly configs: Memo<readonly ConfigLine[]>
  readonly bastions: Map<string, Bastion>
  /** How many may be logging in to one server at the same time. */
  gate(server: string): LimitFunction
  /** Says something once per run. */
  warn(message: string): void
}

const states = new WeakMap<ConnectOptions, RunState>()

export function runState(options: ConnectOptions): RunState {
  const state = states.get(options) ?? newState(options)
  states.set(options, state)
  return state
}

function newState(options: ConnectOptions): RunState {
  const gates = new Map<string, LimitFunction>()
  const warned = new Set<string>()
  return {
    secrets: new Memo(),
    keyFiles: new Memo(),
    agents: new Memo(),
    unlocked: new Memo(),
    knownHosts: new Memo(),
    configs: new Memo(),
    bastions: new Map(),
    gate(server) {
      const gate = gates.get(server) ?? pLimit(loginsAtOnce)
      gates.set(server, gate)
      return gate
    },
    warn(message) {
      if (!warned.has(message)) options.warn?.(message)
      warned.add(message)
    },
  }
}

/** A host's own secret, else that of the run. */
export async function secret(
  state: RunState,
  own: string | SecretProvider | undefined,
  general: SecretProvider | undefined,
): Promise<string | undefined> {
  if (typeof own === 'string') return own
  const provider = own ?? general
  return provider === undefined ? undefined : await state.secrets.get(provider, provider)
}
