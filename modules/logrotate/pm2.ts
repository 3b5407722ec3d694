import { blocked, type FileRead, type SakError } from 'sak-reconcile'
import { z } from 'zod'
import type { Stanza } from './options.ts'
import { matches } from './paths.ts'

const homes = ['/root', '/home/*', '/var/lib/*', '/var/www', '/srv/*', '/opt/*']

/** PM2's own files that tell what pm2-logrotate rotates, wherever PM2 is at home. */
export const pm2Globs = homes.flatMap(home => [`${home}/.pm2/module_conf.json`, `${home}/.pm2/dump.pm2`])

const ModuleConf = z.object({ 'module-db-v2': z.record(z.string(), z.unknown()).optional() })
const Dump = z.array(
  z.object({
    pm_out_log_path: z.string().optional(),
    pm_err_log_path: z.string().optional(),
    pm_log_path: z.string().optional(),
  }),
)

/** Where pm2-logrotate rotates logs that we rotate: each would rotate what the other has rotated. */
export function pm2Conflicts(stanzas: readonly Stanza[], files: readonly FileRead[]): readonly SakError[] {
  const paths = new Set(stanzas.flatMap(stanza => stanza.paths))
  return files.filter(hasPm2Logrotate).flatMap(conf => {
    const home = conf.path.slice(0, conf.path.lastIndexOf('/'))
    const dump = files.find(other => other.path === `${home}/dump.pm2`)
    const logs = [`${home}/logs/pm2-logrotate-out.log`, ...logsOf(dump)]
    const log = logs.find(path => [...paths].some(glob => matches(path, glob)))
    if (log === undefined) return []
    return [
      blocked(
        'override',
        `pm2-logrotate, a module of the PM2 in ${home}, rotates ${log} too`,
        'leave these logs to one of the two: narrow `paths`, or have PM2 write elsewhere (out_file, error_file), or `pm2 uninstall pm2-logrotate`',
      ),
    ]
  })
}

function hasPm2Logrotate({ path, content }: FileRead): boolean {
  if (!path.endsWith('/module_conf.json')) return false
  const conf = ModuleConf.safeParse(fromJson(content))
  return conf.success && 'pm2-logrotate' in (conf.data['module-db-v2'] ?? {})
}

function logsOf(dump: FileRead | undefined): readonly string[] {
  const apps = Dump.safeParse(fromJson(dump?.content ?? null))
  if (!apps.success) return []
  return apps.data
    .flatMap(app => [app.pm_out_log_path, app.pm_err_log_path, app.pm_log_path])
    .filter(path => path !== undefined)
}

function fromJson(content: string | null): unknown {
  try {
    return JSON.parse(content ?? 'null')
  } catch {
    return null
  }
}
