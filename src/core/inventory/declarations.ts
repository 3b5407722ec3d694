/** What a variable may hold. */
export type InventoryValue =
  | string
  | number
  | boolean
  | null
  | readonly InventoryValue[]
  | { readonly [key: string]: InventoryValue }

/** A setting of a host in our own form. It wins over every variable. */
export type SettingName =
  | 'address'
  | 'port'
  | 'user'
  | 'privateKeyPath'
  | 'password'
  | 'become'
  | 'becomeUser'
  | 'becomePassword'
  | 'connection'

/**
 * One thing that an inventory says, in the order it says it: what every format is read into. `at` is where, as file:line.
 * - `group`: the group exists. `host`: the host exists (`port` counts only for the first to name it).
 * - `member`: the host, declared anywhere, is in the group. `child`: the group `child`, declared anywhere, is in `group`.
 * - `var`: a variable of a host or group; with `directory`, from the group_vars/ or host_vars/ of that directory.
 */
export type Declaration =
  | { readonly kind: 'group'; readonly group: string; readonly at: string }
  | { readonly kind: 'host'; readonly host: string; readonly port?: number | undefined; readonly at: string }
  | { readonly kind: 'member'; readonly group: string; readonly host: string; readonly at: string }
  | { readonly kind: 'child'; readonly group: string; readonly child: string; readonly at: string }
  | {
      readonly kind: 'var'
      readonly of: 'group' | 'host'
      readonly name: string
      readonly key: string
      readonly value: InventoryValue
      readonly directory?: string
      readonly at: string
    }
  | {
      readonly kind: 'setting'
      readonly host: string
      readonly key: SettingName
      readonly value: string | number | boolean
      readonly at: string
    }

/** Where in a source a path of keys stands, as file:line or file: path. */
export type Locate = (path: readonly PropertyKey[]) => string
