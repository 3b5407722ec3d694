import type { Report } from './core/report.ts'
import { look } from './engine/look.ts'
import type { HostsOptions } from './hosts-options.ts'
import { type JobOptions, jobsOf } from './jobs.ts'
import { runJobs } from './run-jobs.ts'
import { withSecrets } from './secrets.ts'

export interface DetectOptions extends JobOptions, HostsOptions {}

/**
 * Looks at hosts, as a dry run does. It can do nothing else: no import of this file leads to what changes a host, and a test
 * follows them. Throws as `reconcile` does.
 */
export async function detect(options: DetectOptions): Promise<Report> {
  const jobs = jobsOf({ ...options, dryRun: true })
  return withSecrets(jobs, options, run =>
    runJobs(jobs, { ...run, mode: 'dry-run', work: ({ host }) => look(host.name, { allow: 'data' }) }),
  )
}
