import { blocked, type CommandResult, type Host, SakError } from 'sak-reconcile'
import { madison } from './apt.ts'
import type { Lists } from './found.ts'
import type { Params } from './params.ts'
import { parseMadison, type Rows, type Simulation } from './parse.ts'

/** What apt would do that nobody has asked for. */
export function judge(
  params: Params,
  names: readonly string[],
  simulation: Simulation,
  rows: Rows,
): readonly SakError[] {
  const { installs, removes, downgrades, configures, held } = simulation
  const removed = removes.filter(name => !names.includes(name) && !params.mayRemove.includes(name))
  const lowered = downgrades.filter(name => !params.mayDowngrade.includes(name))
  const heldOthers = held.filter(name => !names.includes(name))
  const from = (name: string) => rows.get(name)?.version ?? ''
  const to = (name: string) => installs.find(each => each.name === name)?.to ?? ''
  const touched = new Set([...installs, ...configures].map(({ name }) => name))
  const passedOver = params.state === 'present' ? names.filter(name => !touched.has(name)) : []
  const instead = installs.map(({ name }) => name)
  const wouldRemove = `apt would remove ${removed.map(name => `${name} ${from(name)}`).join(', ')}`
  const wouldLower = `apt would go back: ${lowered.map(name => `${name} from ${from(name)} to ${to(name)}`).join(', ')}`
  return [
    ...(removed.length === 0 ? [] : [blocked('refused', wouldRemove, `mayRemove: ${listed(removed)} lets it`)]),
    ...(lowered.length === 0 ? [] : [blocked('refused', wouldLower, `mayDowngrade: ${listed(lowered)} lets it`)]),
    ...heldOthers.map(name => heldError(name, false)),
    ...passedOver.map(name =>
      blocked(
        'refused',
        `${name} is no package, but what others provide or are called like: apt would take ${instead.join(', ') || 'what is there'}`,
        'name the package itself',
      ),
    ),
  ]
}

/** A package that somebody holds, and that would have to change. */
export function heldError(name: string, isNamed: boolean): SakError {
  return blocked(
    'override',
    `${name} is held (apt-mark hold), and would have to change`,
    isNamed ? 'hold: true or false lets this task rule that' : `on the host: apt-mark unhold ${name}`,
  )
}

const listed = (names: readonly string[]) => `[${names.map(name => `'${name}'`).join(', ')}]`

/** Why apt would not do it, in its words. */
export async function whyNot(
  host: Host,
  { stdout, stderr }: CommandResult,
  { specs, lists }: { specs: readonly string[]; lists?: Lists },
): Promise<SakError> {
  const [first = 'apt-get -s failed'] = [...stderr.matchAll(/^E: (.*)$/gm)].map(([, text]) => text?.trim())
  const [, unmet = ''] = stdout.split('The following packages have unmet dependencies:\n')
  const said = `${unmet}${stderr}`.trim()
  const hint =
    (await versionsHint(host, first)) ??
    unknownHint(first, lists) ??
    `on the host: apt-get -s install ${specs.join(' ')}`
  return new SakError('refused', `apt cannot do it: ${first}`, { hint, ...(said !== `E: ${first}` && { said }) })
}

async function versionsHint(host: Host, error: string): Promise<string | undefined> {
  const [, name] = /^Version '.*' for '(.*)' was not found$/.exec(error) ?? []
  if (name === undefined) return undefined
  const { stdout } = await host.command(madison([name]))
  const versions = [...parseMadison(stdout).values()].flat()
  return versions.length === 0 ? `apt has no version of ${name}` : `apt has ${versions.join(', ')}`
}

function unknownHint(error: string, lists: Lists | undefined): string | undefined {
  if (!lists || !/^Unable to locate package|has no installation candidate$/.test(error)) return undefined
  const { now, fetched = now } = lists.times
  const hours = Math.floor((now - fetched) / 3600)
  return `look for its name (apt-cache search), or add the source that has it; apt's lists are ${hours} h old, and a smaller listsMaxAge fetches newer ones`
}
