import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../core/connection.ts'
import { SakError } from '../core/errors.ts'
import { localUser } from '../core/local-user.ts'
import type { Become } from './become.ts'
import { holdScript, runScript, type Sinks, type Started } from './script.ts'

const graceMs = 2000
/** How long output may still come after the end of the script's own process. */
const quietMs = 2000

/** This machine, with the semantics of a login over SSH: home directory, a clean environment, an own process group. */
export function connectLocally(become: Become | undefined, password: () => Promise<string | undefined>): Connection {
  const running = new Set<Started>()
  const start = (command: string, sinks: Sinks): Started => {
    const started = startLocally(command, sinks)
    running.add(started)
    void started.done.catch(() => {}).then(() => running.delete(started))
    return started
  }
  const settings = async () => ({ become, password: become?.by === 'sudo' ? await password() : undefined })
  return {
    run: async (script, options) => await runScript(start, await settings(), script, options),
    hold: async (script, options) => await holdScript(start, await settings(), script, options),
    close: async () => {
      for (const started of running) started.kill()
      await Promise.race([
        Promise.allSettled([...running].map(started => started.done)),
        sleep(graceMs * 2, undefined, { ref: false }),
      ])
    },
  }
}

function startLocally(command: string, sinks: Sinks): Started {
  const { homedir } = localUser()
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    cwd: existsSync(homedir) ? homedir : '/',
    detached: true,
    env: loginEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdout.on('data', sinks.stdout)
  child.stderr.on('data', sinks.stderr)
  child.stdin.on('error', () => {}) // a script that ends before it has read all is no fault
  return {
    write: data => void child.stdin.write(data),
    end: () => void child.stdin.end(),
    kill: () => kill(child),
    done: ended(child),
  }
}

function ended(child: ChildProcess): Started['done'] {
  return new Promise((resolve, reject) => {
    let quiet: NodeJS.Timeout | undefined
    child.on('error', cause =>
      reject(new SakError('connect-failed', `cannot start a shell: ${cause.message}`, { cause })),
    )
    child.on('close', (code, signal) => {
      clearTimeout(quiet)
      resolve({ code, signal })
    })
    child.on('exit', () => {
      const cut = () => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }
      quiet = setTimeout(cut, quietMs)
      child.stdout?.on('data', () => quiet?.refresh())
      child.stderr?.on('data', () => quiet?.refresh())
    })
  })
}

/** TERM to the group, then KILL. Where sudo made it another user's, only what we may signal ends. */
function kill(child: ChildProcess) {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // ended already, or not ours to signal
    }
  }
  child.stdin?.destroy()
  child.stdout?.destroy()
  child.stderr?.destroy()
  signal('SIGTERM')
  setTimeout(signal, graceMs, 'SIGKILL').unref()
}

/** What sshd would set, and the locale: nothing of npx or of the calling shell reaches an app that a script restarts. */
function loginEnvironment(): NodeJS.ProcessEnv {
  const { username, homedir } = localUser()
  const path = (process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin')
    .split(':')
    .filter(dir => !dir.includes('node_modules'))
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(LANG|LC_\w+|TZ|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|SHELL)$/.test(name),
  )
  return { ...Object.fromEntries(kept), HOME: homedir, USER: username, LOGNAME: username, PATH: path.join(':') }
}
