import { connect } from 'node:net'
import type { AgentProtocol, BaseAgent, ParsedKey } from 'ssh2'
import { isParsedKey } from './identities.ts'

/** The keys that an agent holds, or why none could be had. */
export type AgentKeys =
  | { readonly kind: 'keys'; readonly socket: string; readonly keys: readonly ParsedKey[] }
  | { readonly kind: 'unusable'; readonly socket: string; readonly why: string }

const answersWithinMs = 5000
/** A person may have to touch a token or confirm. */
const signsWithinMs = 25_000

export async function readAgent(socket: string): Promise<AgentKeys> {
  try {
    const keys = await ask<unknown[]>(socket, answersWithinMs, (protocol, done) => {
      protocol.getIdentities((error, found) => done(error, found ?? []))
    })
    return { kind: 'keys', socket, keys: keys.filter(isParsedKey) }
  } catch (cause) {
    return { kind: 'unusable', socket, why: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** An agent with one key only, so that ssh2 tries no other. */
export async function agentWith(socket: string, key: ParsedKey): Promise<BaseAgent> {
  const { BaseAgent } = (await import('ssh2')).default
  return new (class extends BaseAgent<ParsedKey> {
    override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      done(null, [key])
    }

    override sign(_key: ParsedKey, data: Buffer, ...rest: unknown[]): void {
      const done = rest.find(argument => typeof argument === 'function')
      const options = rest.find(argument => typeof argument === 'object' && argument !== null) ?? {}
      ask<Buffer>(socket, signsWithinMs, (protocol, answer) => {
        protocol.sign(key, data, options, (error, signature) => answer(error, signature))
      }).then(
        signature => done?.(null, signature),
        cause => done?.(cause),
      )
    }
  })()
}

type Answer<T> = (error: Error | null | undefined, value: T | undefined) => void

/** One question to the agent over a connection of its own, which is closed in the end whatever happens. */
async function ask<T>(
  socket: string,
  withinMs: number,
  question: (protocol: AgentProtocol, answer: Answer<T>) => void,
): Promise<T> {
  const { AgentProtocol } = (await import('ssh2')).default
  return await new Promise<T>((resolve, reject) => {
    const protocol = new AgentProtocol(true)
    const stream = connect(socket)
    const settle = (error: Error | undefined, value: T | undefined) => {
      clearTimeout(timer)
      stream.destroy()
      if (error === undefined && value !== undefined) resolve(value)
      else reject(error ?? new Error('the agent gave no answer'))
    }
    const timer = setTimeout(
      () => settle(new Error(`it gave no answer within ${withinMs / 1000} s`), undefined),
      withinMs,
    )
    stream.on('error', error => settle(error, undefined))
    stream.on('close', () => settle(new Error('the agent hung up'), undefined))
    protocol.on('error', (error: Error) => settle(error, undefined))
    protocol.pipe(stream).pipe(protocol)
    question(protocol, (error, value) => settle(error ?? undefined, value))
  })
}
