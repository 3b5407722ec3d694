import type { FileState } from 'sak-reconcile'
import { usualLog } from './app.ts'
import type { Params } from './params.ts'
import type { Pm2Process } from './parse.ts'

/**
 * The list that `pm2 save` will keep, as far as other tasks read it: which logs PM2's apps write. An app that wrote where
 * logrotate rotates, say, and is to write elsewhere, is then not in logrotate's way, nor is it the other way round overlooked.
 */
export function foreseenList(pm2Home: string, processes: readonly Pm2Process[], { apps }: Params): FileState {
  const listed = apps.map(({ name, out_file, error_file }) => ({
    name,
    pm_out_log_path: out_file ?? usualLog(pm2Home, name, 'out'),
    pm_err_log_path: error_file ?? usualLog(pm2Home, name, 'error'),
  }))
  const others = processes
    .filter(({ name }) => !apps.some(app => app.name === name))
    .map(({ name, env: { pm_out_log_path, pm_err_log_path } }) => ({ name, pm_out_log_path, pm_err_log_path }))
  return { kind: 'file', path: `${pm2Home}/dump.pm2`, content: JSON.stringify([...listed, ...others]) }
}
