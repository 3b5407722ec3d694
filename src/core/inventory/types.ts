import type { InventoryValue } from './declarations.ts'
import type { InventoryGraph } from './graph.ts'

/** Marks inventories, so that those of another copy of the package are known. */
export const inventoryBrand = Symbol.for('sak-reconcile.inventory')

/** A host with all that its groups give it. It is a connection's target as it stands. */
export interface InventoryHost {
  readonly name: string
  /** Default: the name. */
  readonly address: string
  /** Undefined: that of ~/.ssh/config, else 22. */
  readonly port?: number
  /** Undefined: that of ~/.ssh/config, else the user who runs this. */
  readonly user?: string
  readonly privateKeyPath?: string
  /** Default: `local` for a host named localhost with no address or port, else `ssh`. */
  readonly connection: 'ssh' | 'local'
  /** Default: false. */
  readonly become: boolean
  /** Undefined: root. */
  readonly becomeUser?: string
  /** The login password: a secret, and never among the variables. */
  readonly password?: string
  /** The password for sudo: a secret, and never among the variables. */
  readonly becomePassword?: string
  /** All other variables, those of its groups included. */
  readonly vars: Readonly<Record<string, InventoryValue>>
  /** The groups it is in, by itself or through their children: parents first, without `all`. */
  readonly groups: readonly string[]
}

export interface InventoryGroup {
  readonly name: string
  /** Hosts named by the group itself, not by its children. */
  readonly hosts: readonly string[]
  readonly children: readonly string[]
}

/** Hosts and groups in the inventory's order, `all` and `ungrouped` included. */
export interface Inventory {
  readonly [inventoryBrand]: true
  readonly hosts: ReadonlyMap<string, InventoryHost>
  readonly groups: ReadonlyMap<string, InventoryGroup>
  /** What was declared and how it hangs together: for merging and for explaining. */
  readonly graph: InventoryGraph
  /** The files that it was read from, as messages name them. */
  readonly sources?: readonly string[]
}

/** Where a variable or setting of a host comes from. A secret's value is not told. */
export type VariableOrigin = {
  readonly name: string
  readonly kind: 'setting' | 'var'
  /** `host web1` or `group web`. */
  readonly from: string
  /** As file:line. */
  readonly at: string
  /** The weaker places that give it too, the strongest of them first. */
  readonly overrides: readonly { readonly from: string; readonly at: string }[]
} & ({ readonly secret: true } | { readonly secret: false; readonly value: InventoryValue })
