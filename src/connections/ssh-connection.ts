import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { ClientChannel } from 'ssh2'
import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import type { Become } from './become.ts'
import { holdScript, runScript, type ScriptSettings, type Sinks, type Started } from './script.ts'
import type { Session } from './ssh.ts'
import { sendSignal } from './ssh-internals.ts'

/** sshd allows ten sessions on a connection (MaxSessions); fewer are found out by being refused. */
const scriptsAtOnce = 8
/** How long output may still come after the end of the script's own process. */
const quietMs = 2000
const refusalsInRow = 3

export interface SshConnectionSettings {
  readonly session: Session
  readonly become: Become | undefined
  readonly password: () => Promise<string | undefined>
  /** Gives back what the session stands on. */
  release(): Promise<void>
}

export function sshConnection({ session, become, password, release }: SshConnectionSettings): Connection {
  const limit = pLimit(scriptsAtOnce)
  const start = (command: string, sinks: Sinks) => startRemotely(session, command, sinks)

  const opened = async <Result>(act: (settings: ScriptSettings) => Promise<Result>): Promise<Result> => {
    const settings = { become, password: become?.by === 'sudo' ? await password() : undefined }
    for (let refusals = 0; ; refusals++) {
      try {
        return await limit(() => act(settings))
      } catch (error) {
        if (!(error instanceof SessionRefused)) throw error
        if (limit.activeCount === 0 && refusals >= refusalsInRow) throw noSession(session, error)
        limit.concurrency = Math.max(1, Math.min(limit.concurrency, limit.activeCount))
        await sleep(100)
      }
    }
  }
  const close = async () => {
    await session.close()
    await release()
  }
  return {
    run: (script, options) => opened(settings => runScript(start, settings, script, options)),
    hold: (script, options) => opened(settings => holdScript(start, settings, script, options)),
    close,
  }
}

/** The host opens no further session: nothing has run, so it may be asked again. */
class SessionRefused extends Error {}

function noSession(session: Session, cause: Error): SakError {
  return new SakError('connect-failed', `${session.hop.name} let us in, but opens no session: ${cause.message}`, {
    cause,
    hint: 'MaxSessions in its sshd_config is too low (an apply needs two), or the host is out of processes or memory',
  })
}

function startRemotely(session: Session, command: string, sinks: Sinks): Started {
  const stdin = new PassThrough()
  let channel: ClientChannel | undefined
  let killed = false
  const kill = () => {
    killed = true
    stdin.destroy()
    if (channel !== undefined) hangUp(session, channel)
  }
  const done = session.ssh
    .execCommand(command, {
      stdin,
      noTrim: true,
      encoding: 'latin1', // node-ssh decodes chunk by chunk, so its text is not used
      onChannel: opened => {
        channel = opened
        closeWhenQuiet(opened)
        if (killed) hangUp(session, opened)
      },
      onStdout: sinks.stdout,
      onStderr: sinks.stderr,
    })
    .then(
      ({ code, signal }) => {
        if (code === null && signal === null) throw session.lost()
        return { code, signal }
      },
      cause => {
        throw startFailure(session, cause)
      },
    )
  return { write: data => void stdin.write(data), end: () => void stdin.end(), kill, done }
}

/** sshd passes TERM on to the script's process group, as far as the login user may signal it. */
function hangUp(session: Session, channel: ClientChannel) {
  try {
    sendSignal(session.ssh.connection, channel, 'TERM')
    channel.close()
  } catch {
    // the connection is gone, and the channel with it
  }
}

/** A process that the script has left behind may hold the output open for ever. */
function closeWhenQuiet(channel: ClientChannel) {
  channel.on('exit', () => {
    const timer = setTimeout(() => channel.close(), quietMs)
    channel.on('data', () => timer.refresh())
    channel.stderr.on('data', () => timer.refresh())
    channel.on('close', () => clearTimeout(timer))
  })
}

function startFailure(session: Session, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause)
  if (/channel open failure/i.test(text)) return new SessionRefused(text)
  if (!/unable to exec/i.test(text)) return session.lost()
  return new SakError('connect-failed', `${session.hop.name} let us in, but runs no command: ${text}`, {
    cause,
    hint: 'its sshd allows this account no commands (ForceCommand, a subsystem only, or a restricted key)',
  })
}
