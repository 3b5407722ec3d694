import { defineModule, type Host } from 'sak-reconcile'
import { type Lists, readLists, readNamed } from './found.ts'
import { decideInstall, toInstall } from './install.ts'
import { heldError } from './judge.ts'
import { Params } from './params.ts'
import { inWords, isHeld, plainName, type Rows } from './parse.ts'
import { type Decision, known, noOthers, nothingToDo, type Versions } from './plan.ts'
import { decideRemoval, toRemove } from './remove.ts'
import { aptSteps, holdStep } from './steps.ts'

/** Keeps packages of Debian and its kin installed, in a version, held, or away. */
export const packages = defineModule({
  name: 'packages',
  description: 'Keeps packages of apt installed, in a version, held, or away.',
  params: Params,
  impact: 'data',
  impactOf: ({ purge }) => (purge ? 'data' : 'restart'),
  example: { name: ['nginx', 'postgresql-15'] },
  keys: {
    installed: 'what dpkg says of the named packages: version, state, hold',
    others: 'packages that nobody named, and that come, change or go with them',
    lists: "whether apt's lists know what is to be installed",
    how: 'what the steps need to know',
  },
  owns: ({ name }) => name.map(each => `apt:${each}`),

  async check(host, params) {
    // asked in the trip that looks at the packages; heard only where something is to be installed
    const lists = readLists(host)
    lists.catch(() => {})
    const { architecture, rows } = await readNamed(host, params.name)
    const names = params.name.map(name => plainName(name, architecture))
    const isPresent = params.state === 'present'
    const wrong = isPresent ? toInstall(names, rows, params) : toRemove(names, rows, params)
    const decision = await decide(host, params, { names: wrong, rows, architecture, lists })
    const isWrong = (name: string) => wrong.includes(name)
    const version = (name: string) => {
      if (!isWrong(name)) return inWords(rows.get(name))
      return isPresent ? (decision.versions.get(name) ?? params.version ?? 'installed') : inWords(undefined)
    }
    const isToHold = (name: string) => (isPresent ? (params.hold ?? isHeld(rows.get(name))) : false)
    const how = { plan: decision.plan, ...holds(names, rows, params, isWrong) }
    return {
      current: {
        installed: record(names, name => withHold(inWords(rows.get(name)), isHeld(rows.get(name)))),
        others: decision.others.before,
        lists: decision.lists,
        how,
      },
      desired: {
        installed: record(names, name => withHold(version(name), isToHold(name))),
        others: decision.others.after,
        lists: decision.lists === known ? known : 'fetched',
        how,
      },
      blocked: [...heldByOthers(wrong, rows, params), ...decision.reasons],
    }
  },

  apply: (_changes, _params, { how: { plan, hold, unhold } }) => [
    holdStep('unhold', unhold),
    ...aptSteps(plan),
    holdStep('hold', hold),
  ],
})

interface Wrong {
  readonly names: readonly string[]
  readonly rows: Rows
  readonly architecture: string
  readonly lists: Promise<Lists>
}

async function decide(host: Host, params: Params, { lists, ...found }: Wrong): Promise<Decision> {
  if (found.names.length === 0) {
    return { plan: nothingToDo, lists: known, versions: new Map(), others: noOthers, reasons: [] }
  }
  if (params.state === 'absent') return decideRemoval(host, params, found)
  return decideInstall(host, params, { ...found, lists: await lists })
}

const record = (names: readonly string[], of: (name: string) => string): Versions =>
  Object.fromEntries(names.map(name => [name, of(name)]))
const withHold = (words: string, isIt: boolean) => (isIt ? `${words}, held` : words)

/** A change ends a hold, so that it is taken off before, and put back after. */
function holds(names: readonly string[], rows: Rows, { hold }: Params, isWrong: (name: string) => boolean) {
  if (hold === undefined) return { hold: [], unhold: [] }
  return {
    unhold: names.filter(name => isHeld(rows.get(name)) && (!hold || isWrong(name))),
    hold: hold ? names.filter(name => !isHeld(rows.get(name)) || isWrong(name)) : [],
  }
}

const heldByOthers = (wrong: readonly string[], rows: Rows, { hold }: Params) =>
  hold === undefined ? wrong.filter(name => isHeld(rows.get(name))).map(name => heldError(name, true)) : []
