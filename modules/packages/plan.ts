import type { Impact, SakError } from 'sak-reconcile'

/** How packages were, for when their change is undone; see `putBackBy`. */
export interface Before {
  readonly mode: 'listed' | 'whole'
  /** `PACKAGE VERSION`, one a line. */
  readonly table: string
  /** Packages that were there only because others need them. */
  readonly automatic: readonly string[]
}

/** One run of apt-get, and what it changes. */
export interface AptRun {
  readonly title: string
  readonly argv: readonly string[]
  readonly impact: Impact
  /** The packages that it changes; `unforeseen` where the lists are fetched before. */
  readonly touches: readonly string[] | 'unforeseen'
  /** Packages to mark as there only because others need them: being named, apt would keep them for ever. */
  readonly automatic: readonly string[]
  readonly undo: Before | 'resumable' | 'none'
}

/** What is to be done about packages. */
export interface Plan {
  /** dpkg was killed at its work: it ends that first. */
  readonly finish: boolean
  /** Packages to look for in lists fetched anew. */
  readonly fetch: readonly string[]
  readonly run: AptRun | undefined
}

export const nothingToDo: Plan = { finish: false, fetch: [], run: undefined }

/** Versions by package. */
export type Versions = Readonly<Record<string, string>>

/** What apt would do for the named packages, and what stands in the way. */
export interface Decision {
  readonly plan: Plan
  /** Whether apt's lists know what is to be installed, or why not. */
  readonly lists: string
  /** What the named packages get. */
  readonly versions: ReadonlyMap<string, string>
  /** What becomes of packages that nobody named. */
  readonly others: { readonly before: Versions; readonly after: Versions }
  readonly reasons: readonly SakError[]
}

export const known = 'known'
export const noOthers = { before: {}, after: {} } as const
