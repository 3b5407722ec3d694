import { variableFor } from './inventory/connection-settings.ts'
import type { SettingName } from './inventory/declarations.ts'
import type { InventoryHost, VariableOrigin } from './inventory.ts'
import type { ResolvedParams, Vars } from './playbook.ts'
import { paramsReference } from './reference.ts'
import { isSecret, replaceTokens, secretName } from './secret.ts'

/** Where a value was set: `default`, `playbook`, `group web`, `host web1`, `command line`, the project's config, `ssh config`. */
export interface Place {
  readonly from: string
  /** As file:line. */
  readonly at?: string
}

/** A value and where it comes from. What is secret has been taken out of the value. */
export interface Origin extends Place {
  /** A variable, a setting, or the path of a param: `postgres.work_mem`. */
  readonly name: string
  readonly value: unknown
  /** The weaker places that set it too, the strongest of them first. */
  readonly overrides: readonly Place[]
}

/** All about one host. */
export interface HostOrigins {
  readonly host: string
  readonly groups: readonly string[]
  readonly connection: readonly Origin[]
  readonly variables: readonly Origin[]
  /** For the playbook and each within it; undefined where no playbook is named. Empty where the host is not among its hosts. */
  readonly playbooks?: readonly { readonly name: string; readonly params: readonly Origin[] }[]
}

/** A part of a login, as ssh's configuration has it; `ssh -G` where only ssh could tell, whose answer does not set defaults apart. */
export interface SshPart {
  readonly value: unknown
  readonly from: 'default' | 'ssh config' | 'ssh -G'
}

/** What is left to ssh's own configuration where an inventory does not say it. */
export interface SshLogin {
  readonly address: SshPart
  readonly port: SshPart
  readonly user: SshPart
  readonly identityFiles: SshPart
  /** Undefined where no jump host is on the way. */
  readonly jump: SshPart | undefined
}

/** The login that the command line gives. */
export interface GivenLogin {
  readonly user?: string | undefined
  readonly become?: boolean | undefined
  readonly privateKey?: string | undefined
  readonly jump?: string | undefined
}

const hidden = '(not shown)'
const secretNames =
  /pass(?:word|wd|phrase)|(?:^|[_.-])pass$|secret|(?<!server_)token|credential|(?:api|access|private)[_-]?key$/i
const isSecretName = (name: string) => secretNames.test(name) || /[a-z]Pass$/.test(name)

/** A value without what nobody should see: secrets, what is called like one, and passwords in URLs. */
export function withoutSecrets(value: unknown, name = ''): unknown {
  if (isSecret(value)) return withoutSecrets(String(value))
  const isText = typeof value === 'string' || typeof value === 'number'
  const text = String(value)
  if (isText && replaceTokens(text, () => '') !== text) return replaceTokens(text, id => `<secret ${secretName(id)}>`)
  if (isSecretName(name) && value !== null && typeof value !== 'boolean') return hidden
  if (typeof value === 'string') return value.replace(/(\w:\/\/[^\s:@/]*:)[^\s@/]+@/g, `$1${hidden}@`)
  if (Array.isArray(value)) return value.map((item: unknown) => withoutSecrets(item))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, key)]))
}

/** Where each variable of a host comes from; those of the connection are told by `connectionOrigins`. */
export function variableOrigins(host: InventoryHost, origins: readonly VariableOrigin[]): Origin[] {
  return origins
    .filter(({ kind, name }) => kind === 'var' && Object.hasOwn(host.vars, name))
    .map(({ name, from, at, overrides }) => {
      return { name, value: withoutSecrets(host.vars[name], name), from, at, overrides }
    })
}

/** A source of params: what it sets, and where that stands. */
interface Layer extends Place {
  readonly values: Vars
}

/** What sets params beside the playbook itself, the weakest first: the host's variables, then others. */
export function outsideLayers(
  host: InventoryHost,
  origins: readonly VariableOrigin[],
  others: readonly Layer[],
): readonly Layer[] {
  const fromVars = origins
    .filter(({ kind, name }) => kind === 'var' && Object.hasOwn(host.vars, name))
    .map(({ name, from, at }) => ({ from, at, values: { [name]: host.vars[name] } }))
  return [...fromVars, ...others]
}

/** Where each param comes from, leaf by leaf, of a playbook whose params have been resolved with these layers. */
export function paramOrigins({ schema, given, params }: ResolvedParams, outside: readonly Layer[]): Origin[] {
  const strongestFirst: readonly Layer[] = [...outside.toReversed(), { from: 'playbook', values: given }]
  const defaults = paramsReference(schema).flatMap(({ path, default: value }) =>
    value === undefined ? [] : leavesOf(value, path.split('.')),
  )
  return leavesOf(params, []).map(({ path, value }) => {
    const name = path.join('.')
    const [first, ...weaker] = strongestFirst.filter(({ values }) => sets(values, path)).map(placeOf)
    const isDefault = defaults.some(known => known.path.join('.') === name && isSame(known.value, value))
    const place = first ?? { from: isDefault ? 'default' : 'computed from the others' }
    return { name, value: withoutLeafSecrets(path, value), ...place, overrides: weaker }
  })
}

/** A leaf below something that is called like a secret is one too. */
function withoutLeafSecrets(path: readonly string[], value: unknown): unknown {
  return withoutSecrets(value, path.find(isSecretName) ?? path.at(-1))
}

const placeOf = ({ from, at }: Place): Place => ({ from, ...(at !== undefined && { at }) })
const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

interface Leaf {
  readonly path: readonly string[]
  readonly value: unknown
}

/** The values that are merged as wholes: all but objects with something in them. */
function leavesOf(value: unknown, path: readonly string[]): Leaf[] {
  if (!isRecord(value)) return value === undefined ? [] : [{ path, value }]
  const inner = Object.entries(value).flatMap(([name, item]) => leavesOf(item, [...path, name]))
  return inner.length === 0 && path.length > 0 ? [{ path, value: {} }] : inner
}

/** Whether a layer sets what stands at a path, by itself or as a part of something whole above it. */
function sets(values: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined || !isRecord(values)) return values !== undefined
  return Object.hasOwn(values, name) && sets(values[name], rest)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)

/** How a host is reached, and who says so: inventory, then command line, then ssh's configuration, then defaults. `ssh` is for hosts over ssh. */
export function connectionOrigins(
  host: InventoryHost,
  origins: readonly VariableOrigin[],
  given: GivenLogin,
  ssh: SshLogin | undefined,
): Origin[] {
  const row = (name: SettingName, value: unknown, otherwise: Place): Origin => {
    const { from, at, overrides = [] } = originOfSetting(origins, name) ?? { ...otherwise, overrides: [] }
    return { name, value, ...placeOf({ from, ...(at !== undefined && { at }) }), overrides }
  }
  const standard: Place = { from: 'default' }
  const onCommandLine: Place = { from: 'command line' }
  const rows: Origin[] = [row('connection', host.connection, standard)]
  if (ssh) {
    const { address, port, user, identityFiles, jump } = ssh
    const own = row('address', host.address, standard)
    rows.push(address.from === 'default' ? own : { name: 'address', ...address, overrides: [placeOf(own)] })
    rows.push(row('port', port.value, port))
    rows.push(row('user', user.value, given.user === undefined ? user : onCommandLine))
    if (host.privateKeyPath !== undefined) rows.push(row('privateKeyPath', host.privateKeyPath, onCommandLine))
    rows.push({ name: 'identityFiles', ...identityFiles, overrides: [] })
    if (jump) rows.push({ name: 'jump', ...jump, ...(given.jump !== undefined && onCommandLine), overrides: [] })
  }
  const byCommand = given.become === true && host.become && !originOfSetting(origins, 'become')
  rows.push(row('become', host.become, byCommand ? onCommandLine : standard))
  if (host.become) rows.push(row('becomeUser', host.becomeUser ?? 'root', standard))
  if (host.password !== undefined) rows.push(row('password', hidden, standard))
  if (host.becomePassword !== undefined) rows.push(row('becomePassword', hidden, standard))
  return rows
}

/** Who says a setting: the host itself in our own form, else the variable that counts. */
function originOfSetting(origins: readonly VariableOrigin[], setting: SettingName): VariableOrigin | undefined {
  const own = origins.find(({ kind, name }) => kind === 'setting' && name === setting)
  if (own) return own
  const named = (variable: string) => origins.find(({ kind, name }) => kind === 'var' && name === variable)
  const name = variableFor(setting, variable => {
    const origin = named(variable)
    return origin !== undefined && (origin.secret || origin.value !== null)
  })
  return name === undefined ? undefined : named(name)
}
