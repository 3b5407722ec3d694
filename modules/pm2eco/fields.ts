/** What reports show of one setting. */
export type Scalar = string | number | boolean

/** One setting of an app: its name, PM2's value for "not set", and what changes it in a running app. */
interface Field {
  readonly key: string
  /** PM2's value where the file says nothing: not shown, and equal to nothing. */
  readonly default?: Scalar
  /**
   * What applies a new value to a running app, measured on PM2 7.0.4: `reload` of the file, or only `recreate` (delete and
   * start). A value that is taken away always needs `recreate`: a reload keeps what it is not told.
   */
  readonly by: 'reload' | 'recreate'
}

/** The settings we compare, under PM2's own names and in the order of the ecosystem file. */
export const fields = [
  { key: 'status', by: 'reload' },
  { key: 'instances', by: 'reload' },
  { key: 'exec_mode', by: 'recreate' },
  { key: 'namespace', default: 'default', by: 'recreate' },
  { key: 'script', by: 'recreate' },
  { key: 'cwd', by: 'recreate' },
  { key: 'args', by: 'reload' },
  { key: 'interpreter', by: 'recreate' },
  { key: 'node_args', by: 'reload' },
  { key: 'max_memory_restart', by: 'reload' },
  { key: 'kill_timeout', by: 'reload' },
  { key: 'wait_ready', default: false, by: 'reload' },
  { key: 'listen_timeout', by: 'reload' },
  { key: 'shutdown_with_message', default: false, by: 'reload' },
  { key: 'min_uptime', by: 'reload' },
  { key: 'max_restarts', by: 'reload' },
  { key: 'restart_delay', default: 0, by: 'reload' },
  { key: 'exp_backoff_restart_delay', default: 0, by: 'reload' },
  { key: 'autorestart', default: true, by: 'reload' },
  { key: 'cron_restart', by: 'reload' },
  { key: 'watch', default: false, by: 'recreate' },
  { key: 'out_file', by: 'recreate' },
  { key: 'error_file', by: 'recreate' },
  { key: 'merge_logs', default: false, by: 'recreate' },
  { key: 'log_date_format', by: 'reload' },
] as const satisfies readonly Field[]

export type FieldName = (typeof fields)[number]['key']
/** The settings of an app that differ from PM2's defaults. */
export type Settings = Readonly<Partial<Record<FieldName, Scalar>>>

const byName: ReadonlyMap<string, Field> = new Map(fields.map(field => [field.key, field]))

/** Whether a reload of the file is enough to give a running app this value. Environment variables are `env.NAME`. */
export function reloadApplies(key: string, after: Scalar | undefined): boolean {
  return after !== undefined && (key.startsWith('env.') || byName.get(key)?.by === 'reload')
}

/** Whether a setting says what PM2 does anyway. */
export function isDefault(key: string, value: unknown): boolean {
  return byName.get(key)?.default === value && value !== undefined
}

/** Settings without those that PM2 has anyway. */
export function withoutDefaults(values: Readonly<Record<FieldName, Scalar | undefined>>): Settings {
  const kept = fields.flatMap(field => {
    const value = values[field.key]
    return value === undefined || isDefault(field.key, value) ? [] : [[field.key, value] as const]
  })
  return Object.fromEntries(kept)
}

/** Names under which PM2 keeps its own state, in the same place where it lays an app's variables: it has no other. */
export const pm2Keys: ReadonlySet<string> = new Set(
  `name cwd env args script instances exec_mode exec_interpreter interpreter node_args namespace version status pm_id
  pm_uptime pm_cwd pm_exec_path pm_out_log_path pm_err_log_path pm_log_path pm_pid_path created_at restart_time
  unstable_restarts prev_restart_delay exit_code username uid gid watch ignore_watch watch_options filter_env autostart
  autorestart merge_logs vizion vizion_running versioning km_link max_memory_restart kill_timeout kill_retry_time
  listen_timeout wait_ready min_uptime max_restarts restart_delay exp_backoff_restart_delay cron_restart treekill
  shutdown_with_message stop_exit_codes source_map_support disable_source_map_support log_date_format log_type
  disable_logs time pmx pmx_module automation instance_var increment_var windowsHide unique_id node_version axm_actions
  axm_monitor axm_options axm_dynamic current_conf updateEnv io port trace v8 deep_monitoring event_loop_inspector
  error_file out_file pid_file log_file command install_url force post_update _pm2_version _tree_pids __proto__
  constructor toString`.split(/\s+/),
)

const sessionPrefixes =
  /^(PM2_|NODE_APP_INSTANCE$|NODE_CHANNEL_|LC_|SSH_|XDG_|DBUS_|SUDO_|SYSTEMD_|LESS|NVM_|VOLTA_|FNM_|npm_)/
const sessionNames = new Set(
  `_ COLORTERM CREDENTIALS_DIRECTORY DISPLAY HISTCONTROL HISTFILE HISTSIZE HOME HUSHLOGIN INIT_CWD INVOCATION_ID
  JOURNAL_STREAM LANG LANGUAGE LOGNAME LS_COLORS MAIL MANAGERPID MOTD_SHOWN OLDPWD PATH PIDFILE PWD SHELL SHLVL SILENT
  STY TERM TERM_PROGRAM TERM_PROGRAM_VERSION TMUX TMUX_PANE USER WINDOWID XAUTHORITY`.split(/\s+/),
)

/** Whether a variable comes from a login session, systemd, a version manager or PM2 itself: nobody set it for the app. */
export function isSessionVariable(name: string): boolean {
  return sessionNames.has(name) || sessionPrefixes.test(name)
}
