import type { DriftItem } from '../core/drift.ts'
import type { IgnoreRule } from '../core/drift-config.ts'
import { patternMatcher } from '../core/host-pattern.ts'
import { fingerprintOf, type Place, placeOf } from './fingerprint.ts'
import type { Finding } from './observe.ts'
import type { State } from './state.ts'

/** A rule and the hosts that its pattern means now. */
export interface HostedRule {
  readonly rule: IgnoreRule
  readonly hosts: ReadonlySet<string>
}

type Silenced = Place & Pick<DriftItem, 'change'>

/** The rules in force at a time. They silence alarms; what an apply does they do not touch. */
export interface Ignoring {
  /** The first rule that silences a finding. */
  readonly ruleFor: (finding: Silenced) => IgnoreRule | undefined
  /** How the rules were used, once these findings are added; to be kept for the next run. */
  readonly useAfter: (findings: readonly Silenced[], state: State) => State['rules']
  /** Rules that do nothing any more, as findings to tell of. */
  readonly stale: (use: State['rules']) => readonly Finding[]
}

/** A rule that has silenced nothing for so long is told of. */
const unusedMs = 30 * 86_400_000

/** Reads the rules for a run at a time. Throws SakError `usage` for a pattern that is none. */
export function ignoring(rules: readonly HostedRule[], at: string): Ignoring {
  const now = Date.parse(at)
  const isOver = ({ until }: IgnoreRule) => until !== undefined && now >= Date.parse(until)
  const tests = rules.filter(({ rule }) => !isOver(rule)).map(each => ({ rule: each.rule, fits: matcher(each) }))
  return {
    ruleFor: finding => tests.find(({ fits }) => fits(finding))?.rule,
    useAfter: (findings, state) => {
      const used = new Set(tests.filter(({ fits }) => findings.some(fits)).map(({ rule }) => rule))
      const entries = rules.map(({ rule }) => {
        const { since = at, lastUsed = null } = state.rules[nameOf(rule)] ?? {}
        return [nameOf(rule), { since, lastUsed: used.has(rule) ? at : lastUsed }] as const
      })
      return Object.fromEntries(entries)
    },
    stale: use =>
      rules.flatMap(({ rule }) => {
        if (isOver(rule)) return [staleRule(rule, `expired on ${rule.until}: take it out, or give it more time`)]
        const { since, lastUsed } = use[nameOf(rule)] ?? { since: at, lastUsed: at }
        const isUnused = now - Date.parse(lastUsed ?? since) >= unusedMs
        return isUnused ? [staleRule(rule, 'has silenced nothing for 30 days: take it out')] : []
      }),
  }
}

/** A failure is silenced only by a rule that names it: a host that nobody sees is not to be lost by a rule about something else. */
function matcher({ rule, hosts }: HostedRule): (finding: Silenced) => boolean {
  const fits = (pattern: string | undefined) => (pattern === undefined ? () => true : patternMatcher(pattern))
  const [task, key, value] = [fits(rule.task), fits(rule.key), fits(rule.value)]
  return finding => {
    if (finding.subject === 'failure' && rule.key === undefined) return false
    if (finding.host === null || !hosts.has(finding.host)) return false
    const keys = [finding.key, finding.path, finding.entry].filter(each => each !== undefined)
    return task(finding.task ?? '') && (keys.some(key) || key(keys.join(' '))) && value(valueText(finding))
  }
}

function valueText({ change }: Pick<DriftItem, 'change'>): string {
  const { before, diff } = change ?? {}
  return diff ?? (typeof before === 'string' ? before : JSON.stringify(before ?? null))
}

/** A rule as messages name it, and as its use is kept. */
function nameOf({ hosts = 'all', task, key, value }: IgnoreRule): string {
  const parts = Object.entries({ task, key, value }).flatMap(([name, pattern]) =>
    pattern === undefined ? [] : [`${name} ${pattern}`],
  )
  return [`hosts ${hosts}`, ...parts].join(', ')
}

function staleRule(rule: IgnoreRule, message: string): Finding {
  const where = { subject: 'rule' as const, host: null, task: null, key: nameOf(rule) }
  const place = placeOf(where)
  return { ...where, place, fingerprint: fingerprintOf(place, undefined, message), message, isMended: false }
}
