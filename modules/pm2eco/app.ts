/** An app as it should be and as it is, in the same words: PM2's settings and `env.NAME`, each with one value. */
import { posix } from 'node:path'
import { sizeBytes } from 'sak-reconcile'
import { type FieldName, isSessionVariable, pm2Keys, type Scalar, type Settings, withoutDefaults } from './fields.ts'
import type { App } from './params.ts'
import type { Pm2Env, Pm2Process } from './parse.ts'

/** One app: its settings by name, and its variables as `env.NAME`. */
export type AppState = Readonly<Record<string, Scalar>>

/** Stands for the value of a variable that we were not told of: it may be a secret. */
export const unlistedValue = '(set, but not listed in env)'

/** What must run for an app. */
export function desiredState(app: App, processors: number): AppState {
  const settings = withoutDefaults({
    ...app,
    status: 'online',
    instances: app.instances === 'max' ? processors : app.instances,
    script: scriptPath(app),
    args: app.args && sentence(app.args),
    node_args: app.node_args && sentence(app.node_args),
    interpreter: app.interpreter,
    max_memory_restart: app.max_memory_restart && sizeOf(sizeBytes(app.max_memory_restart)),
    kill_timeout: app.kill_timeout,
    listen_timeout: app.listen_timeout,
    min_uptime: app.min_uptime,
    max_restarts: app.max_restarts,
    cron_restart: app.cron_restart,
    out_file: app.out_file,
    error_file: app.error_file,
    log_date_format: app.log_date_format,
  })
  return { ...settings, ...prefixed(app.env) }
}

/** Where an app's script is: relative to its cwd, absolute, or a bare name that PM2 may also find on the PATH. */
export function scriptPath({ cwd, script }: Pick<App, 'cwd' | 'script'>): string {
  return isOnPath(script) ? script : posix.resolve(cwd, script)
}

/** Whether a script is named as a program on the PATH is: without a directory or an extension. */
export function isOnPath(script: string): boolean {
  return !script.includes('/') && posix.extname(script) === ''
}

/** What runs (or would run after a boot) under an app's name. `app` is what it is compared with, where it is listed. */
export function currentState(processes: readonly Pm2Process[], pm2Home: string, app?: App): AppState {
  if (processes.length === 0) return {}
  const states = processes.map(({ name, env }) => ({
    ...settingsOf(env, name, pm2Home, app),
    ...variablesOf(env, name, app),
  }))
  const keys = [...new Set(states.flatMap(state => Object.keys(state)))]
  const merged = keys.map(key => [key, agreed(states.map((state: AppState) => state[key]))] as const)
  return { ...Object.fromEntries(merged), instances: processes.length }
}

/** The value that all instances have, or all their values. */
function agreed(values: readonly (Scalar | undefined)[]): Scalar {
  const distinct = [...new Set(values)]
  const [first] = distinct
  if (distinct.length === 1 && first !== undefined) return first
  return distinct.map(value => value ?? 'not set').join(' | ')
}

function settingsOf(env: Pm2Env, name: string, pm2Home: string, app: App | undefined): Settings {
  const merged = env.merge_logs === true
  const log = (key: string, kind: 'out' | 'error'): Scalar | undefined => {
    const path = logPath(env[key], merged)
    return path === usualLog(pm2Home, name, kind) ? undefined : path
  }
  const simple = (key: FieldName): Scalar | undefined => scalar(env[key])
  return withoutDefaults({
    status: simple('status'),
    instances: undefined,
    exec_mode: String(scalar(env.exec_mode)).replace(/_mode$/, ''),
    namespace: simple('namespace'),
    script: scriptOf(env, app),
    cwd: scalar(env.pm_cwd),
    args: sentenceOf(env.args),
    interpreter: interpreterOf(env, app),
    node_args: sentenceOf(env.node_args),
    max_memory_restart: sizeOf(env.max_memory_restart),
    kill_timeout: simple('kill_timeout'),
    wait_ready: simple('wait_ready'),
    listen_timeout: simple('listen_timeout'),
    shutdown_with_message: simple('shutdown_with_message'),
    min_uptime: simple('min_uptime'),
    max_restarts: simple('max_restarts'),
    restart_delay: simple('restart_delay'),
    exp_backoff_restart_delay: simple('exp_backoff_restart_delay'),
    autorestart: simple('autorestart'),
    cron_restart: simple('cron_restart'),
    watch: simple('watch'),
    out_file: log('pm_out_log_path', 'out'),
    error_file: log('pm_err_log_path', 'error'),
    merge_logs: simple('merge_logs'),
    log_date_format: simple('log_date_format'),
  })
}

/** Where PM2 has an app's log, unless it is told another place. */
export function usualLog(pm2Home: string, name: string, kind: 'out' | 'error'): string {
  return `${pm2Home}/logs/${name.replace(/[^a-zA-Z0-9\\.-]/g, '-')}-${kind}.log`
}

function scriptOf(env: Pm2Env, app: App | undefined): Scalar | undefined {
  const path = scalar(env.pm_exec_path)
  return app && isOnPath(app.script) && posix.basename(String(path)) === app.script ? app.script : path
}

/** Undefined where it is what PM2 chooses by itself. */
function interpreterOf(env: Pm2Env, app: App | undefined): Scalar | undefined {
  const interpreter = scalar(env.exec_interpreter)
  if (interpreter === app?.interpreter) return interpreter
  const chosen: Readonly<Record<string, string>> = { '.sh': 'bash', '.rb': 'ruby', '.php': 'php', '.pl': 'perl' }
  const usual = chosen[posix.extname(String(env.pm_exec_path))]
  if (interpreter === 'none' || interpreter === usual || /(^|\/)(node|python3?)$/.test(String(interpreter)))
    return undefined
  return interpreter
}

/** Unmerged logs carry the process's id in their names. */
function logPath(path: unknown, merged: boolean): Scalar | undefined {
  const text = scalar(path)
  return merged || typeof text !== 'string' ? text : text.replace(/-\d+\.log$/, '.log')
}

/** The variables that are listed, with their values, and those that nobody listed, without. */
function variablesOf(env: Pm2Env, name: string, app: App | undefined): AppState {
  const nested = typeof env.env === 'object' && env.env !== null ? { ...env.env } : {}
  // PM2 lays variables over its settings and leaves them there, even when `env` has lost them
  const names = [...Object.keys(nested), ...Object.keys(env).filter(key => /^[A-Z_][A-Z0-9_]*$/.test(key))]
  const own = new Map(Object.entries(nested))
  const variables = [...new Set(names)].flatMap(key => {
    const value = scalar(Object.hasOwn(env, key) ? env[key] : own.get(key))
    if (value === undefined) return []
    if (app && Object.hasOwn(app.env, key)) return [[key, String(value)] as const]
    // PM2 gives each app a variable of its own name, with the configuration of its modules
    const foreign = key !== name && !pm2Keys.has(key) && !isSessionVariable(key)
    return foreign ? [[key, unlistedValue] as const] : []
  })
  return prefixed(Object.fromEntries(variables))
}

const prefixed = (variables: Readonly<Record<string, string>>): AppState =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [`env.${name}`, value]))

/** A value as reports show it; undefined for none. */
function scalar(value: unknown): Scalar | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return value === undefined || value === null ? undefined : JSON.stringify(value)
}

/** Arguments on one line, unambiguously. */
function sentence(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined
  return words.every(word => /^\S+$/.test(word)) ? words.join(' ') : JSON.stringify(words)
}

function sentenceOf(value: unknown): Scalar | undefined {
  return Array.isArray(value) ? sentence(value.map(String)) : scalar(value)
}

/** Bytes in the largest unit that divides them: `'850M'`. */
function sizeOf(value: unknown): Scalar | undefined {
  if (typeof value !== 'number' || value <= 0) return scalar(value)
  const unit = (['G', 'M', 'K'] as const).find((_, index) => value % 1024 ** (3 - index) === 0)
  return unit ? `${value / { G: 1024 ** 3, M: 1024 ** 2, K: 1024 }[unit]}${unit}` : value
}
