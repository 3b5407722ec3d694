/** How an app goes back: the configuration of the processes that ran before, for `pm2 start -`. */
import { type Command, escapeSecrets } from 'sak-reconcile'
import { pm2Keys } from './fields.ts'
import type { Pm2Env, Pm2Process } from './parse.ts'

/** How to call a user's PM2. */
export interface Pm2 {
  readonly pm2: string
  readonly user: string
  readonly env: Readonly<Record<string, string>>
}

/** Deletes what runs under a name now, and starts what ran before. Does what it can if there is nothing to delete. */
export function backTo(pm2: Pm2, name: string, before: readonly Pm2Process[]): readonly Command[] {
  const gone: Command = {
    argv: ['sh', '-c', '"$1" delete "$2" || :', 'undo', pm2.pm2, name],
    as: pm2.user,
    env: pm2.env,
  }
  if (before.length === 0) return [gone]
  const stdin = escapeSecrets(JSON.stringify({ apps: configurations(before) }), 'json')
  const started: Command = { argv: [pm2.pm2, 'start', '-'], as: pm2.user, env: pm2.env, stdin }
  const stopped: Command = { argv: [pm2.pm2, 'stop', name], as: pm2.user, env: pm2.env }
  return [gone, started, ...(before.every(({ env }) => env.status === 'stopped') ? [stopped] : [])]
}

/** One configuration for each kind of process, with how many of it there were. */
function configurations(processes: readonly Pm2Process[]): readonly Readonly<Record<string, unknown>>[] {
  const counted = new Map<string, { configuration: Record<string, unknown>; instances: number }>()
  for (const { name, env } of processes) {
    const configuration = configurationOf(name, env)
    const key = JSON.stringify(configuration)
    const known = counted.get(key)
    counted.set(key, { configuration, instances: (known?.instances ?? 0) + 1 })
  }
  return [...counted.values()].map(({ configuration, instances }) => {
    // without a number, PM2 gives a single process no NODE_APP_INSTANCE and its logs no number
    return { ...configuration, ...(instances > 1 && { instances }) }
  })
}

/** What PM2 decides anew for each process, or keeps under another name in a configuration. */
const ownToProcess = new Set(
  `status version pm_id pm_uptime pm_cwd pm_exec_path pm_out_log_path pm_err_log_path pm_log_path pm_pid_path created_at
  restart_time unstable_restarts prev_restart_delay exit_code username instances versioning vizion_running km_link
  unique_id node_version axm_actions axm_monitor axm_options axm_dynamic exec_interpreter env args script current_conf
  updateEnv _pm2_version _tree_pids filter_env pmx_module`.split(/\s+/),
)

function configurationOf(name: string, env: Pm2Env): Record<string, unknown> {
  const settings = Object.entries(env).filter(([key]) => pm2Keys.has(key) && !ownToProcess.has(key))
  const merged = env.merge_logs === true
  return {
    ...Object.fromEntries(settings),
    name,
    script: env.pm_exec_path,
    cwd: env.pm_cwd,
    interpreter: env.exec_interpreter,
    ...(env.args !== undefined && { args: env.args }),
    out_file: logFile(env.pm_out_log_path, merged),
    error_file: logFile(env.pm_err_log_path, merged),
    env: variables(name, env),
  }
}

const logFile = (path: unknown, merged: boolean): unknown =>
  merged || typeof path !== 'string' ? path : path.replace(/-\d+\.log$/, '.log')

function variables(name: string, env: Pm2Env): Record<string, unknown> {
  const nested = typeof env.env === 'object' && env.env !== null ? env.env : {}
  const laidOver = Object.entries(env).filter(([key, value]) => /^[A-Z_][A-Z0-9_]*$/.test(key) && isPlain(value))
  const own = Object.entries(nested).filter(([key, value]) => !pm2Keys.has(key) && key !== name && isPlain(value))
  const all = [...own, ...laidOver].filter(([key]) => key !== 'NODE_APP_INSTANCE' && !key.startsWith('_'))
  return Object.fromEntries(all)
}

const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)
