import type { AnyAuthMethod, AuthenticationType, NextAuthHandler, ParsedKey } from 'ssh2'
import type { ConnectOptions, SecretProvider } from '../core/connect-options.ts'
import { SakError } from '../core/errors.ts'
import { type AgentKeys, agentWith, readAgent } from './agent.ts'
import type { Hop } from './hop.ts'
import { decryptKey, describeKey, type KeyFile, readKeyFile, sameKey } from './identities.ts'
import type { RunState } from './run-state.ts'

/** One way to log in; made only when its turn comes. */
interface Attempt {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive' | 'none'
  readonly label: string
  /** What ssh2 is given; `undefined` passes the attempt over. */
  make(): Promise<AnyAuthMethod | undefined>
}

export interface Login {
  /** ssh2's authHandler. */
  handler(left: AuthenticationType[] | null, partial: boolean | null, next: NextAuthHandler): void
  /** The error of a login that failed: what was tried, what was passed over and why, what the server would take. */
  refused(said?: string): SakError
  /** Set while a person is being asked, when no deadline should run. */
  readonly waiting: { count: number }
}

export interface LoginSecrets {
  readonly password: () => Promise<string | undefined>
  readonly passphrase: ConnectOptions['passphrase']
}

/** Keys first, agent before files as ssh does, then the password: each once. No `none` is sent where a key is at hand. */
export async function prepareLogin(hop: Hop, secrets: LoginSecrets, state: RunState): Promise<Login> {
  const notes: string[] = []
  const waiting = { count: 0 }
  const attempts = [
    ...(await keyAttempts(hop, secrets, state, { notes, waiting })),
    ...passwordAttempts(hop, secrets.password),
  ]
  return new Progress(hop, attempts, notes, waiting)
}

class Progress implements Login {
  readonly waiting: { count: number }
  private readonly hop: Hop
  private readonly attempts: Attempt[]
  private readonly notes: string[]
  private readonly tried: string[] = []
  private accepted: readonly string[] = []
  private passwordRefused = false

  constructor(hop: Hop, attempts: Attempt[], notes: string[], waiting: { count: number }) {
    this.hop = hop
    this.attempts = attempts
    this.notes = notes
    this.waiting = waiting
    this.handler = this.handler.bind(this)
  }

  handler(left: AuthenticationType[] | null, partial: boolean | null, next: NextAuthHandler): void {
    if (left !== null) this.accepted = left
    if (!partial && this.lastMethod === 'password' && left?.includes('password')) this.passwordRefused = true
    this.next(left).then(
      method => (method === undefined ? giveUp(next) : next(method)),
      cause => {
        this.notes.push(cause instanceof Error ? cause.message : String(cause))
        giveUp(next)
      },
    )
  }

  private lastMethod: Attempt['method'] | undefined

  private async next(left: readonly string[] | null): Promise<AnyAuthMethod | undefined> {
    for (let attempt = this.attempts.shift(); attempt !== undefined; attempt = this.attempts.shift()) {
      if (left !== null && !left.includes(attempt.method)) continue
      if (attempt.method === 'keyboard-interactive' && this.passwordRefused) continue
      const method = await attempt.make()
      if (method === undefined) continue
      this.lastMethod = attempt.method
      this.tried.push(attempt.label)
      return method
    }
    return undefined
  }

  refused(said?: string): SakError {
    const { name, user, port } = this.hop
    const tried = this.tried.length > 0 ? `tried ${this.tried.join(', ')}` : 'there was nothing to log in with'
    const passed = this.notes.length > 0 ? `; passed over: ${this.notes.join('; ')}` : ''
    const takes = this.accepted.length > 0 ? `; the server takes ${this.accepted.join(', ')}` : ''
    const tooMany = /too many authentication/i.test(said ?? '')
    return new SakError('auth-failed', `${name} did not let ${user} in: ${tried}${passed}${takes}`, {
      ...(said === undefined ? {} : { said }),
      hint: tooMany
        ? 'the server counts every key: name the right one (--private-key, or IdentityFile with IdentitiesOnly yes)'
        : `check the user and the key: \`ssh -p ${port} ${user}@${name}\` must work; a password is taken from the inventory`,
    })
  }
}

/** ssh2 takes `false` for "no more", which its types leave out. */
function giveUp(next: (method: never) => void): void {
  Reflect.apply(next, undefined, [false])
}

interface Noting {
  readonly notes: string[]
  readonly waiting: { count: number }
}

async function keyAttempts(hop: Hop, secrets: LoginSecrets, state: RunState, noting: Noting): Promise<Attempt[]> {
  const read = async (path: string) => await state.keyFiles.get(path, async () => await readKeyFile(path))
  const own = hop.privateKeyPath === undefined ? [] : [await read(hop.privateKeyPath)]
  const files = await Promise.all(hop.identityFiles.filter(path => path !== hop.privateKeyPath).map(read))
  const agent = await agentKeys(hop, state, noting.notes)
  for (const file of own) if (file.kind === 'missing') noting.notes.push(`${file.path} (there is no such file)`)
  for (const file of [...own, ...files]) if (file.kind === 'unusable') noting.notes.push(`${file.path} (${file.why})`)

  const held = (file: KeyFile) => agent.keys.find(key => sameKey(key, publicKeyOf(file)))
  const fromAgent = (key: ParsedKey) => agentAttempt(hop, agent.socket, key)
  const fromFile = (file: KeyFile) => fileAttempt(hop, file, secrets.passphrase, state, noting)
  const listed = files.flatMap(file => held(file) ?? [])
  const others = agent.keys.filter(key => !listed.includes(key) && !own.some(file => held(file) === key))
  return [
    ...own.map(file => {
      const key = held(file)
      return key === undefined ? fromFile(file) : fromAgent(key)
    }),
    ...listed.map(fromAgent),
    ...(hop.identitiesOnly || hop.privateKeyPath !== undefined ? [] : others.map(fromAgent)),
    ...files.filter(file => held(file) === undefined).map(fromFile),
  ].filter(attempt => attempt !== undefined)
}

function publicKeyOf(file: KeyFile): Buffer | undefined {
  if (file.kind === 'key') return file.key.getPublicSSH()
  return file.kind === 'encrypted' || file.kind === 'public' ? file.publicKey : undefined
}

async function agentKeys(
  hop: Hop,
  state: RunState,
  notes: string[],
): Promise<{ socket: string; keys: readonly ParsedKey[] }> {
  const socket = hop.agent
  if (socket === undefined) return { socket: '', keys: [] }
  const found: AgentKeys = await state.agents.get(socket, async () => await readAgent(socket))
  if (found.kind === 'keys') return found
  notes.push(`the agent at ${socket} (${found.why})`)
  return { socket, keys: [] }
}

function agentAttempt(hop: Hop, socket: string, key: ParsedKey): Attempt {
  const make = async () => ({ type: 'agent' as const, username: hop.user, agent: await agentWith(socket, key) })
  return { method: 'publickey', label: `the agent's key ${describeKey(key)}`, make }
}

function fileAttempt(
  hop: Hop,
  file: KeyFile,
  passphrase: LoginSecrets['passphrase'],
  state: RunState,
  noting: Noting,
): Attempt | undefined {
  const method = (key: ParsedKey) => ({ type: 'publickey' as const, username: hop.user, key })
  if (file.kind === 'key') {
    return { method: 'publickey', label: `${file.path} (${describeKey(file.key)})`, make: async () => method(file.key) }
  }
  if (file.kind !== 'encrypted') return undefined
  const make = async () => {
    const key = await state.unlocked.get(file.path, async () => {
      const given = await asking(noting.waiting, async () => await passphrase?.(file.path))
      return given === undefined
        ? 'it is encrypted and no passphrase was given'
        : ((await decryptKey(file.text, given)) ?? 'wrong passphrase')
    })
    if (typeof key !== 'string') return method(key)
    noting.notes.push(`${file.path} (${key})`)
    return undefined
  }
  return { method: 'publickey', label: file.path, make }
}

async function asking<T>(waiting: { count: number }, ask: () => Promise<T>): Promise<T> {
  waiting.count++
  try {
    return await ask()
  } finally {
    waiting.count--
  }
}

function passwordAttempts(hop: Hop, secret: SecretProvider): Attempt[] {
  const username = hop.user
  const byPassword = async () => {
    const password = await secret()
    return password === undefined ? undefined : { type: 'password' as const, username, password }
  }
  const byQuestions = async () => {
    const password = await secret()
    return password === undefined
      ? undefined
      : { type: 'keyboard-interactive' as const, username, prompt: answerOnce(password) }
  }
  return [
    { method: 'password', label: 'password', make: byPassword },
    { method: 'keyboard-interactive', label: 'keyboard-interactive', make: byQuestions },
  ]
}

/** Gives the password to the first hidden question and nothing to any other: a wrong one is not tried again. */
function answerOnce(password: string) {
  let given = false
  type Finish = (answers: string[]) => void
  return (_name: string, _text: string, _lang: string, prompts: { echo?: boolean }[], finish: Finish) => {
    const answers = prompts.map(({ echo }) => {
      if (echo || given) return ''
      given = true
      return password
    })
    finish(answers)
  }
}
