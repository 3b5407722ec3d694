import { posix } from 'node:path'
import { type Adopted, type FileRead, type Host, orUnreadable } from 'sak-reconcile'
import type { z } from 'zod'
import { currentState } from './app.ts'
import { readProcesses } from './daemon.ts'
import { isSessionVariable, pm2Keys, type Scalar } from './fields.ts'
import { Params } from './params.ts'
import { isOurs, type Pm2Process, parseDump } from './parse.ts'
import { findPlace } from './place.ts'
import { named } from './report.ts'

type Found = z.input<typeof Params>
type App = Found['apps'][number]

/** A task for each user whose PM2, in its usual place, has apps: those that run, or where no daemon does, those that a boot would bring back. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const passwd = await host.file('/etc/passwd')
  const users = (passwd.content ?? '').split('\n').map(line => line.split(':'))
  const owners = await Promise.all(
    users.map(async ([user = '', , , , , home = '/']) => ((await hasPm2(host, home)) ? [user] : [])),
  )
  const found = (await Promise.all(owners.flat().map(user => adoptUser(host, user)))).flat()
  return found.length > 0 ? found : 'no PM2 of a user has an app'
}

/** It has kept a list for the next boot, or runs. */
async function hasPm2(host: Host, home: string): Promise<boolean> {
  const marks = ['dump.pm2', 'rpc.sock'].map(name => orUnreadable(host.stat(`${home}/.pm2/${name}`)))
  return (await Promise.all(marks)).some(mark => mark !== null && !('error' in mark))
}

async function adoptUser(host: Host, user: string): Promise<Found[]> {
  const anything = Params.parse({ user, apps: [{ name: 'any', script: 'any', cwd: '/' }] })
  const place = await findPlace(host, anything)
  const processes = place.daemon
    ? await readProcesses(host, place, user)
    : 'error' in place.dump
      ? []
      : (parseDump(place.dump.content ?? '[]') ?? [])
  const names = new Set(processes.map(({ name }) => name))
  const apps = [...names].flatMap(name => appOf(named(processes, name), place.pm2Home))
  if (apps.length === 0) return []
  const file = await findEcosystem(host, apps)
  const usual = posix.join(apps[0]?.cwd ?? '/', 'ecosystem.config.js')
  const mode = file?.stat?.mode ?? '0640'
  return [
    {
      user,
      ...(file && file.path !== usual && { path: file.path }),
      ...(mode !== '0640' && { mode }),
      apps,
    },
  ]
}

/** The ecosystem file of ours in a directory of the apps, or next to them. */
async function findEcosystem(host: Host, apps: readonly App[]): Promise<FileRead | undefined> {
  const names = ['ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.json']
  const paths = new Set(apps.flatMap(({ cwd }) => names.map(name => posix.join(cwd, name))))
  const files = await Promise.all([...paths].map(path => orUnreadable(host.file(path))))
  return files.find((file): file is FileRead => !('error' in file) && isOurs(file.content ?? ''))
}

/** The params of an app from its processes; none where it has a name that the params cannot say. */
function appOf(processes: readonly Pm2Process[], pm2Home: string): App[] {
  const [first] = processes
  if (!first) return []
  const state = Object.entries(currentState(processes, pm2Home)).filter(
    ([key]) => !/^(env\..*|status|instances)$/.test(key),
  )
  const { script = '', cwd = '', args, node_args, exec_mode, merge_logs, ...settings } = Object.fromEntries(state)
  const app = {
    name: first.name,
    script: relativeTo(String(cwd), String(script)),
    cwd: String(cwd),
    ...(args !== undefined && { args: wordsOf(args) }),
    ...(node_args !== undefined && { node_args: wordsOf(node_args) }),
    ...(processes.length > 1 && { instances: processes.length }),
    ...(exec_mode === 'cluster' && { exec_mode: 'cluster' as const }),
    ...(merge_logs === undefined && { merge_logs: false }),
    ...settings,
    env: variablesOf(first),
  }
  const { success } = Params.safeParse({ apps: [app] })
  return success ? [app] : []
}

function relativeTo(cwd: string, script: string): string {
  return script.startsWith(`${cwd}/`) ? script.slice(cwd.length + 1) : script
}

/** Arguments with blanks stand as JSON. */
function wordsOf(value: Scalar): string | string[] {
  const text = String(value)
  return text.startsWith('["') ? JSON.parse(text) : text
}

/** The variables that somebody set for the app. */
function variablesOf({ name, env }: Pm2Process): Record<string, string> {
  const own = typeof env.env === 'object' && env.env !== null ? Object.entries(env.env) : []
  const set = own.filter(([key]) => key !== name && !pm2Keys.has(key) && !isSessionVariable(key))
  return Object.fromEntries(set.map(([key, value]) => [key, String(value)]))
}
