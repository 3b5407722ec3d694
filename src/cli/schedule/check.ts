import { CommanderError } from 'commander'
import { type DriftConfig, type NotifierConfig, notifierName } from '../../core/drift-config.ts'
import { SakError } from '../../core/errors.ts'
import { secretName, sourceOf } from '../../core/secret.ts'
import { jobsOf } from '../../jobs.ts'
import type { Schedule } from '../../loading/schedule-file.ts'
import { type DriftOptions, parseDrift } from '../options.ts'
import { runOptions } from '../run-options.ts'

/**
 * Finds out before anything is written whether `drift` could run as scheduled: what it is given, the playbook, hosts and config that
 * this means, and the secrets that it would take from an environment which it will not have. Throws SakError `usage`.
 */
export async function refuseUnrunnable({ args, environment }: Schedule): Promise<void> {
  const options = parse(args)
  if (options.askBecomePass) {
    throw new SakError('usage', 'a scheduled run has nobody to ask: -K cannot stand after --', {
      hint: 'let sudo ask no password for this user, or log in as root',
    })
  }
  const run = await runOptions({ ...options, dryRun: true })
  const ids = jobsOf(run.options).flatMap(({ tasks }) => tasks.flatMap(({ secrets }) => [...(secrets ?? [])]))
  const wanted = [...fromEnvironment(ids), ...fromEnvironmentOf(run.drift)]
  const missing = [...new Set(wanted.flatMap(({ name, whose }) => (name in environment ? [] : [`${name} (${whose})`])))]
  if (missing.length === 0) return
  throw new SakError('usage', `a scheduled run does not have these from the environment: ${missing.join(', ')}`, {
    hint: 'take them from a file that only you may read: { file: "/etc/sak/..." }, or secret.file(...)',
  })
}

function parse(args: readonly string[]): DriftOptions {
  try {
    return parseDrift(args)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    throw new SakError('usage', `what stands after -- is given to drift: ${error.message.replace(/^error: /, '')}`, {
      hint: 'for example: -- ./web.ts -i hosts.yaml; "sak-reconcile drift --help" lists the options',
    })
  }
}

interface Wanted {
  readonly name: string
  readonly whose: string
}

/** The variables of the environment that secrets of tasks come from. */
function fromEnvironment(ids: readonly number[]): readonly Wanted[] {
  return ids.flatMap(id => {
    const source = sourceOf(id)
    return source?.kind === 'env' ? [{ name: source.name, whose: `the secret ${secretName(id)}` }] : []
  })
}

/** Those that notifiers take their URLs, keys and passwords from. */
function fromEnvironmentOf({ notify = [] }: DriftConfig): readonly Wanted[] {
  return notify.flatMap(config =>
    sourcesOf(config).flatMap(source =>
      typeof source === 'object' && 'env' in source
        ? [{ name: source.env, whose: `the notifier ${notifierName(config)}` }]
        : [],
    ),
  )
}

function sourcesOf(config: NotifierConfig) {
  switch (config.kind) {
    case 'webhook':
      return [config.url, config.secret, ...Object.values(config.headers ?? {})]
    case 'slack':
      return [config.url]
    case 'email':
      return [config.password]
    case 'command':
      return []
  }
}
