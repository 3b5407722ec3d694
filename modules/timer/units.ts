import { createHash } from 'node:crypto'
import type { Params } from './params.ts'
import { commandLine, quoteWord } from './quote.ts'

/** The two unit files of a timer, by their suffix. */
export interface Units {
  readonly timer: string
  readonly service: string
}

/**
 * The unit files. Each names its own digest as documentation: systemd shows that of what it has in memory, which proves whether it
 * has loaded this very text.
 */
export function renderUnits(params: Params, directory: string): Units {
  const sealed = (suffix: keyof Units, sections: readonly (readonly string[])[]) => {
    const [[unit = '', ...head] = [], ...rest] = sections
    const digest = createHash('sha256').update(JSON.stringify(sections)).digest('hex').slice(0, 16)
    const documentation = `Documentation=file:${directory}/${params.name}.${suffix}#${digest}`
    return `${header}${[[unit, ...head, documentation], ...rest].map(lines => `${lines.join('\n')}\n`).join('\n')}`
  }
  return { timer: sealed('timer', timerSections(params)), service: sealed('service', serviceSections(params)) }
}

const header = '# Managed by sak-reconcile: changes made by hand are undone.\n'
const describe = ({ description, name }: Params) => `Description=${(description ?? name).replaceAll('%', '%%')}`
const setting = (name: string, value: string | undefined) => (value === undefined ? [] : [`${name}=${value}`])

function timerSections(params: Params): string[][] {
  const { onCalendar = [], onBoot, onUnitActive, persistent, randomizedDelay, accuracy } = params
  return [
    ['[Unit]', describe(params)],
    [
      '[Timer]',
      ...onCalendar.map(event => `OnCalendar=${event}`),
      ...setting('OnBootSec', onBoot),
      ...setting('OnUnitActiveSec', onUnitActive),
      ...(persistent ? ['Persistent=yes'] : []),
      ...setting('RandomizedDelaySec', randomizedDelay),
      `AccuracySec=${accuracy}`,
    ],
    ['[Install]', 'WantedBy=timers.target'],
  ]
}

function serviceSections(params: Params): string[][] {
  const { command = [], environment, user, scope, workingDirectory, timeout, noNewPrivileges } = params
  return [
    ['[Unit]', describe(params)],
    [
      '[Service]',
      'Type=oneshot',
      ...(scope === 'system' && user !== 'root' ? [`User=${user}`] : []),
      ...setting('WorkingDirectory', workingDirectory?.replaceAll('%', '%%')),
      ...Object.entries(environment).map(([name, value]) => `Environment=${quoteWord(`${name}=${value}`)}`),
      `ExecStart=${commandLine(command)}`,
      ...setting('TimeoutStartSec', timeout),
      ...(noNewPrivileges ? ['NoNewPrivileges=yes'] : []),
    ],
  ]
}

/** The documentation that a unit file names: what systemd shows of it once it has loaded it. */
export function sealOf(unit: string): string {
  return /^Documentation=(.*)$/m.exec(unit)?.[1] ?? ''
}
