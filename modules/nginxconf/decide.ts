import { absent, blocked, type FileState, file, holdsSecret, renderTemplate, type SakError } from 'sak-reconcile'
import { type Config, includeTarget, level, mainConfig, type Node, placeOf, textOf, walk } from './config.ts'
import { repetitionOf, type Setting, sameSetting, slotOf } from './directives.ts'
import { appendTo, applyEdits, type Override, replaceArgs } from './edit.ts'
import { globMatches } from './glob.ts'
import { describeMissing, missingModule } from './optional.ts'
import { type Params, settingsOf } from './params.ts'
import { proxiesWithoutKeepalive } from './proxies.ts'
import { siteConflicts } from './sites.ts'
import { decideUpstreams } from './upstreams.ts'

/** What the files should be, and what stands in the way. */
export interface Decision {
  readonly ours: FileState
  /** Files of others, as they should be: only those that must change. */
  readonly others: readonly FileState[]
  readonly blocked: readonly SakError[]
}

/** Holds the configuration on disk against the params. */
export function decide(config: Config, params: Params, build: string): Decision {
  const http = httpBlock(config)
  const elsewhere = [...level(http.children)].filter(node => node.name !== 'include')
  const settings = decideSettings(elsewhere, settingsOf(params))
  const upstreams = decideUpstreams(elsewhere, params)
  const overrides = [
    ...inclusion(config, http, params.path),
    ...settings.overrides,
    ...upstreams.overrides,
    ...proxiesWithoutKeepalive(http, params.upstreams),
  ]
  const refusals = [
    ...duplicates(elsewhere, settingsOf(params)),
    ...siteConflicts(elsewhere, params.sites),
    ...missingModules(config, params, build),
  ]
  const sites = Object.entries(params.sites).map(([name, site]) => ({
    name,
    ...site,
    ...targetOf(params, site.upstream),
  }))
  const empty = settings.ours.length + upstreams.ours.length + sites.length === 0
  const content = renderTemplate(new URL('./conf.ejs', import.meta.url), {
    settings: settings.ours,
    upstreams: upstreams.ours,
    sites,
  })
  return {
    ours: empty ? absent(params.path) : file(params.path, content, { mode: holdsSecret(content) ? '0600' : '0644' }),
    others: applyEdits(overrides.flatMap(override => override.edits)),
    blocked: [...refusals, ...(params.overrides === 'report' ? overrides.map(reported) : [])],
  }
}

const reported = ({ message }: Override) =>
  blocked('override', message, "change it there, or let us with `overrides: 'remove'`")

const targetOf = (params: Params, upstream: string) => ({
  target: upstream,
  keepalive: params.upstreams[upstream]?.keepalive !== undefined,
})

function httpBlock(config: Config): Node {
  const found = [...level(config.top)].filter(node => node.name === 'http' && node.directive.block)
  const [http] = found
  if (!http) throw blocked('refused', `${mainConfig} has no http block`, 'nginxconf sets directives of http')
  return http
}

/** Our file must be included once, by http. */
function inclusion(config: Config, http: Node, path: string): Override[] {
  const includes = [...walk(config.top)].filter(
    node => node.name === 'include' && globMatches(includeTarget(node), path),
  )
  const elsewhere = includes.find(node => node.parent !== http)
  if (elsewhere)
    throw blocked('refused', `${placeOf(elsewhere)} includes ${path} outside of http`, 'choose another path')
  if (includes.length > 1) {
    throw blocked('refused', `${path} is included twice: ${includes.map(placeOf).join(', ')}`, 'choose another path')
  }
  if (includes.length === 1) return []
  return [{ message: `${placeOf(http)}: http does not include ${path}`, edits: [appendTo(http, `include ${path};`)] }]
}

/** The settings that our file must hold, and those that stand otherwise elsewhere. */
function decideSettings(elsewhere: readonly Node[], wanted: readonly (Setting & { text: string })[]) {
  const ours: { name: string; text: string }[] = []
  const overrides: Override[] = []
  for (const setting of wanted) {
    const slot = slotOf(setting)
    const standing = elsewhere.filter(node => slotOf(node) === slot)
    if (repetitionOf(setting.name) === 'type-list') {
      const rest = setting.args.filter(type => !standing.some(node => node.args.includes(type)))
      if (rest.length === setting.args.length) ours.push(setting)
      else if (rest.length > 0) ours.push({ name: setting.name, text: rest.join(' ') })
      continue
    }
    const [first] = standing
    if (!first) ours.push(setting)
    else if (!sameSetting(first, setting)) {
      const message = `${placeOf(first)} has \`${textOf(first)}\`, wanted \`${setting.name} ${setting.text}\``
      overrides.push({ message, edits: [replaceArgs(first, setting.text)] })
    }
  }
  return { ours, overrides }
}

/** A directive that already stands twice where it may stand once: nginx cannot load that, and we cannot tell which to keep. */
function duplicates(elsewhere: readonly Node[], wanted: readonly Setting[]): SakError[] {
  return wanted.flatMap(setting => {
    if (repetitionOf(setting.name) !== 'once' || setting.name === 'ssl_protocols') return []
    const standing = elsewhere.filter(node => node.name === setting.name)
    if (standing.length < 2) return []
    const places = standing.map(placeOf).join(' and ')
    return [
      blocked('refused', `${setting.name} stands twice, before any change of ours: ${places}`, 'leave one of them'),
    ]
  })
}

function missingModules(config: Config, params: Params, build: string): SakError[] {
  const loaded = [...level(config.top)].filter(node => node.name === 'load_module').map(node => node.args[0] ?? '')
  return Object.keys(params.http).flatMap(name => {
    const missing = missingModule(name, build, loaded)
    if (!missing) return []
    const { what, hint } = describeMissing(missing)
    return [blocked('not-installed', `${name} needs ${what}, which this nginx has not loaded`, hint)]
  })
}
