import {
  absent,
  blocked,
  defineModule,
  type FileRead,
  type FileState,
  file,
  orUnreadable,
  readAccount,
  type SakError,
  type Unreadable,
  write,
} from 'sak-reconcile'
import { daemonSteps, judgeDaemon, readDaemon } from './daemon.ts'
import { commandText, Params } from './params.ts'
import { variableLine, withBlock } from './parse.ts'

const directories = { 'cron.d': '/etc/cron.d', crontab: '/var/spool/cron/crontabs' } as const
const header = '# Managed by sak-reconcile: changes made by hand are undone.\n'

/** Keeps an entry of cron: in /etc/cron.d or a user's crontab, with a daemon that runs it now and after a reboot. */
export const cron = defineModule({
  name: 'cron',
  description: 'Keeps an entry of cron, and the daemon that runs it: now and after a reboot.',
  params: Params,
  impact: 'none',
  example: {
    name: 'backup',
    schedule: '10 3 * * *',
    command: ['/usr/local/bin/backup', '--date', '100%'],
    environment: { MAILTO: '' },
  },
  keys: { saved: 'the file or crontab', running: 'whether the daemon runs', boot: 'whether it is enabled' },
  owns: params => [params.place === 'crontab' ? `crontab:${params.user}:${params.name}` : pathOf(params)],

  async check(host, params) {
    const [saved, directory, account, daemon] = await Promise.all([
      orUnreadable(host.file(pathOf(params))),
      host.stat(directories[params.place]),
      readAccount(host, params.user),
      readDaemon(host),
    ])
    const desired = desiredFile(params, saved)
    const reasons = [...(directory ? [] : [noDirectory(params)]), ...(account ? [] : [noUser(params)])]
    if (params.state === 'absent') {
      const nothing = {}
      return {
        current: { saved, running: nothing, boot: nothing },
        desired: { saved: desired, running: nothing, boot: nothing },
      }
    }
    const { running, boot, blocked } = judgeDaemon(daemon)
    return {
      current: { saved, running: running.current, boot: boot.current },
      desired: { saved: desired, running: running.desired, boot: boot.desired },
      blocked: [...reasons, ...blocked],
    }
  },

  apply: ({ saved, running, boot }, { place }) => [
    saved && write(saved.after, place === 'crontab' ? { validate: syntaxCheck } : {}),
    ...daemonSteps(running?.before, boot?.before),
  ],
})

const pathOf = ({ place, user, name }: Params) => `${directories[place]}/${place === 'crontab' ? user : name}`

/** The syntax of a whole crontab: one line that is wrong, and cron passes over all of it. Releases before 2019 cannot check. */
const syntaxCheck = {
  argv: [
    'sh',
    '-c',
    'o=$(crontab -n "$1" 2>&1) || case $o in *"invalid option"*) ;; *) echo "$o"; exit 1 ;; esac',
    'check-crontab',
    '{}',
  ],
}

function desiredFile(params: Params, saved: FileRead | Unreadable): FileState {
  const path = pathOf(params)
  const wanted = params.state === 'present'
  if (params.place === 'cron.d') return wanted ? file(path, render(params)) : absent(path)
  const { content = null } = 'error' in saved ? {} : saved
  const whole = withBlock(content, params.name, wanted ? render(params) : null)
  if (whole === 'broken') {
    throw blocked(
      'refused',
      `the marks of "${params.name}" in ${path} do not make one block`,
      `crontab -u ${params.user} -e`,
    )
  }
  return whole === null ? absent(path) : file(path, whole, { mode: '0600', owner: params.user, group: 'crontab' })
}

/** The lines of the entry, as its place wants them. */
function render(params: Params): string {
  const { schedule = '', user, environment, place } = params
  if (place === 'crontab') return `${header}${schedule} ${commandText(params)}\n`
  const variables = Object.entries(environment).map(([name, value]) => `${variableLine(name, value) ?? ''}\n`)
  return `${header}${variables.join('')}${schedule} ${user} ${commandText(params)}\n`
}

function noDirectory({ place }: Params): SakError {
  return blocked(
    'not-installed',
    `there is no ${directories[place]}: cron is not installed`,
    "packages({ name: 'cron' }) before this task installs it",
  )
}

function noUser({ user }: Params): SakError {
  return blocked(
    'no-such-user',
    `there is no user ${user}: cron would pass over the entry`,
    'user({ ... }) before this task makes it',
  )
}
