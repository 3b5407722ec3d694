import { SakError } from '../errors.ts'
import type { SettingName } from './declarations.ts'
import type { HostNode, Placed } from './graph.ts'
import type { InventoryHost } from './types.ts'

/** Ansible's variables for each setting. Where a host has several, the last of them counts, as in Ansible. */
const variablesFor: Readonly<Record<SettingName, readonly string[]>> = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  privateKeyPath: ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
  password: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
  become: ['ansible_become'],
  becomeUser: ['ansible_become_user', 'ansible_sudo_user'],
  becomePassword: ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'],
  connection: ['ansible_connection'],
}

const connectionVariables: ReadonlySet<string> = new Set(Object.values(variablesFor).flat())
const secretNames: ReadonlySet<string> = new Set([
  'password',
  'becomePassword',
  ...variablesFor.password,
  ...variablesFor.becomePassword,
])

export function isConnectionVariable(name: string): boolean {
  return connectionVariables.has(name)
}

/** Whether a setting or variable holds a password, which is never shown. */
export function isSecretVariable(name: string): boolean {
  return secretNames.has(name)
}

/** The variable that counts for a setting, of those that a host has. */
export function variableFor(setting: SettingName, has: (variable: string) => boolean): string | undefined {
  return variablesFor[setting].findLast(has)
}

interface Found extends Placed {
  readonly name: string
}

const isTrue = /^(?:y|yes|on|1|true|t|1\.0)$/i
const isFalse = /^(?:n|no|off|0|false|f|0\.0)$/i

/** How a host is reached, from its settings and merged variables. */
export function connectionOf(
  host: string,
  settings: HostNode['settings'],
  vars: ReadonlyMap<string, Placed>,
): Omit<InventoryHost, 'name' | 'vars' | 'groups'> {
  const find = (setting: SettingName): Found | undefined => {
    const own = settings.get(setting)
    if (own) return { ...own, name: setting }
    const name = variableFor(setting, variable => vars.has(variable) && vars.get(variable)?.value !== null)
    const placed = name === undefined ? undefined : vars.get(name)
    return name === undefined || placed === undefined ? undefined : { ...placed, name }
  }
  const text = (setting: SettingName) => textOf(host, find(setting))
  const address = addressOf(host, find('address'))
  const port = portOf(host, find('port'))
  const named = {
    user: text('user'),
    privateKeyPath: text('privateKeyPath'),
    becomeUser: text('becomeUser'),
    password: text('password'),
    becomePassword: text('becomePassword'),
  }
  const isHere = host === 'localhost' && address === undefined && port === undefined
  return {
    address: address ?? host,
    ...(port === undefined ? {} : { port }),
    ...(named.user === undefined ? {} : { user: named.user }),
    ...(named.privateKeyPath === undefined ? {} : { privateKeyPath: named.privateKeyPath }),
    connection: kindOf(host, find('connection')) ?? (isHere ? 'local' : 'ssh'),
    become: truthOf(host, find('become')) ?? false,
    ...(named.becomeUser === undefined ? {} : { becomeUser: named.becomeUser }),
    ...(named.password === undefined ? {} : { password: named.password }),
    ...(named.becomePassword === undefined ? {} : { becomePassword: named.becomePassword }),
  }
}

function wrong(host: string, { name, at }: Found, why: string, hint: string): SakError {
  return new SakError('invalid-inventory', `${at}: ${name} of host "${host}" ${why}`, { hint })
}

/** A setting's text. Messages never repeat the value, which may be a password. */
function textOf(host: string, found: Found | undefined): string | undefined {
  if (!found) return undefined
  const { name, value } = found
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw wrong(host, found, 'must be text', 'Write it in quotes.')
  }
  const text = String(value)
  if (/\{\{|\{%/.test(text) && !isSecretVariable(name)) {
    throw wrong(host, found, 'is a template, and templates are not evaluated', 'Write the value itself.')
  }
  if (/^\{\{.*\}\}$/s.test(text.trim())) {
    throw wrong(
      host,
      found,
      'is a template, and templates are not evaluated',
      'Ask for it at the start instead: --ask-become-pass, or a key.',
    )
  }
  if (text === '') throw wrong(host, found, 'is empty', 'Give it a value, or remove it.')
  return text
}

function addressOf(host: string, found: Found | undefined): string | undefined {
  const address = textOf(host, found)
  if (!found || address === undefined) return undefined
  if (/^-|[\s\p{Cc}@/]/u.test(address)) {
    throw wrong(host, found, `is not an address: ${JSON.stringify(address)}`, 'Give a host name or an IP address.')
  }
  return address
}

function portOf(host: string, found: Found | undefined): number | undefined {
  if (!found) return undefined
  const text = textOf(host, found) ?? ''
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw wrong(host, found, `is not a port: ${JSON.stringify(found.value)}`, 'Give a number from 1 to 65535.')
}

function truthOf(host: string, found: Found | undefined): boolean | undefined {
  if (!found) return undefined
  if (typeof found.value === 'boolean') return found.value
  const text = textOf(host, found) ?? ''
  if (isTrue.test(text)) return true
  if (isFalse.test(text)) return false
  throw wrong(host, found, `is neither true nor false: ${JSON.stringify(found.value)}`, 'Give true or false.')
}

function kindOf(host: string, found: Found | undefined): 'ssh' | 'local' | undefined {
  const kind = textOf(host, found)?.replace(/^ansible\.builtin\./, '')
  if (!found || kind === undefined) return undefined
  if (kind === 'local') return 'local'
  if (['ssh', 'smart', 'paramiko', 'paramiko_ssh'].includes(kind)) return 'ssh'
  throw wrong(host, found, `is not supported: ${JSON.stringify(kind)}`, 'Use ssh or local, or take the host out.')
}
