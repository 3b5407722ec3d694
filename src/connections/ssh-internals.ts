import type { Client, ClientChannel } from 'ssh2'

/* What ssh2 can do and has no public way to. Where a later version has it otherwise, these do nothing. */

function part(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined
}

/** ssh2's own `signal` is silent once stdin has ended, though the protocol is not. */
export function sendSignal(client: Client | null, channel: ClientChannel, name: string): void {
  const protocol = part(client, '_protocol')
  const signal = part(protocol, 'signal')
  if (typeof signal === 'function') signal.call(protocol, part(part(channel, 'outgoing'), 'id'), name)
}

/**
 * OpenSSH tells all its host keys after a login, so that clients may learn new ones. ssh2 then has it sign with each, which costs both, for
 * an event that nobody here waits for. So requests of a server are refused, where they want an answer.
 */
export function takeNoRequests(client: Client): void {
  const handlers = part(part(client, '_protocol'), '_handlers')
  const refuse = (protocol: { requestFailure(): void }, _name: string, wantsAnswer: boolean) => {
    if (wantsAnswer) protocol.requestFailure()
  }
  if (typeof handlers === 'object' && handlers !== null) Reflect.set(handlers, 'GLOBAL_REQUEST', refuse)
}
