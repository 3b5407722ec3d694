import { z } from 'zod'
import { SakError } from '../errors.ts'
import { inWords } from '../issues.ts'
import { didYouMean } from '../nearest.ts'
import type { Declaration, InventoryValue, Locate, SettingName } from './declarations.ts'

const text = z.string().min(1)
const vars = z.record(z.string(), z.json()).describe('Variables, of any JSON value.')

const hostShape = {
  address: text.optional().describe('Host name or IP address. Default: the name of the host.'),
  port: z.int().min(1).max(65535).optional().describe('Default: that of ~/.ssh/config, else 22.'),
  user: text.optional().describe('Login user. Default: that of ~/.ssh/config, else the user who runs this.'),
  privateKeyPath: text.optional().describe('Private key to log in with.'),
  password: text.optional().describe('Login password.'),
  become: z.boolean().optional().describe('Become root (or becomeUser) by sudo. Default: false.'),
  becomeUser: text.optional().describe('User to become. Default: root.'),
  becomePassword: text.optional().describe('Password for sudo.'),
  connection: z.enum(['ssh', 'local']).optional().describe('Default: ssh, but local for localhost.'),
} satisfies Record<SettingName, z.ZodType>

const host = z.strictObject({ ...hostShape, vars: vars.optional() })
const names = z.array(z.string(), { error: 'expected a list of names, such as [one, two]' })
const group = z.strictObject({
  hosts: names.optional().describe('Names of hosts.'),
  children: names.optional().describe('Names of groups whose hosts are in this group too.'),
  vars: vars.optional(),
})

/** An inventory in our own form: JSON, YAML, or what is given to `defineInventory`. */
export const inventorySchema = z.strictObject({
  hosts: z.record(z.string(), host).optional().describe('Hosts by name.'),
  groups: z.record(z.string(), group).optional().describe('Groups by name. `all` and `ungrouped` always exist.'),
})

export type InventoryInput = z.input<typeof inventorySchema>

const settingNames = host.omit({ vars: true }).keyof().options

/** What an inventory of our own form declares. Throws SakError 'invalid-inventory' that names each mistake, its place and the fix. */
export function readInventoryInput(input: unknown, locate: Locate): Declaration[] {
  const parsed = inventorySchema.safeParse(input, { reportInput: true })
  if (!parsed.success) throw invalid(parsed.error.issues, locate)
  const { hosts = {}, groups = {} } = parsed.data
  return [
    ...Object.entries(hosts).flatMap(([name, { vars = {}, ...settings }]): Declaration[] => [
      { kind: 'host', host: name, at: locate(['hosts', name]) },
      ...settingNames.flatMap((key): Declaration[] => {
        const value = settings[key]
        return value === undefined
          ? []
          : [{ kind: 'setting', host: name, key, value, at: locate(['hosts', name, key]) }]
      }),
      ...variables('host', name, vars, key => locate(['hosts', name, 'vars', key])),
    ]),
    ...Object.entries(groups).flatMap(([name, { hosts = [], children = [], vars = {} }]): Declaration[] => {
      const at = (...path: PropertyKey[]) => locate(['groups', name, ...path])
      return [
        { kind: 'group', group: name, at: at() },
        ...hosts.map((host, i): Declaration => ({ kind: 'member', group: name, host, at: at('hosts', i) })),
        ...children.map((child, i): Declaration => ({ kind: 'child', group: name, child, at: at('children', i) })),
        ...variables('group', name, vars, key => at('vars', key)),
      ]
    }),
  ]
}

function variables(
  of: 'host' | 'group',
  name: string,
  vars: Readonly<Record<string, InventoryValue>>,
  at: (key: string) => string,
): Declaration[] {
  return Object.entries(vars).map(([key, value]) => ({ kind: 'var', of, name, key, value, at: at(key) }))
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return inventorySchema.keyof().options
  return path[0] === 'groups' ? group.keyof().options : host.keyof().options
}

function invalid(issues: readonly z.core.$ZodIssue[], locate: Locate): SakError {
  const hints = new Set<string>()
  const lines = issues.flatMap(issue => {
    const path = issue.path.map(String).join('.') || 'the inventory'
    if (issue.code !== 'unrecognized_keys') return [`${locate(issue.path)}: ${path}: ${inWords(issue.message)}`]
    const known = keysAt(issue.path)
    return issue.keys.map(key => {
      hints.add(didYouMean(key, known) ?? `Known here: ${known.join(', ')}.`)
      return `${locate([...issue.path, key])}: ${path} has an unknown key "${key}"`
    })
  })
  const [hint] = hints
  return new SakError('invalid-inventory', lines.join('\n'), hint === undefined ? {} : { hint: [...hints].join(' ') })
}
