import type { Params } from './params.ts'

/** How long we wait for another apt or dpkg to end, in seconds: unattended-upgrades takes minutes. */
export const lockSeconds = 300

/** Nobody is asked anything, neither by debconf, apt-listchanges nor ucf; needrestart restarts no service that we did not announce. */
export const quiet = {
  DEBIAN_FRONTEND: 'noninteractive',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
  UCF_FORCE_CONFFOLD: '1',
} as const

const option = (setting: string) => ['-o', setting]

const recommending = ({ recommends }: Params) => {
  if (recommends === undefined) return []
  return [recommends ? '--install-recommends' : '--no-install-recommends']
}

/** apt-get for real. The admin's configuration files stay; what is no longer needed stays, since nobody named it. */
export const aptGet = [
  'apt-get',
  '-q',
  '-y',
  ...option('Dpkg::Use-Pty=0'),
  ...option('Dpkg::Options::=--force-confold'),
  ...option(`DPkg::Lock::Timeout=${lockSeconds}`),
  ...option('APT::Get::AutomaticRemove=false'),
]

/** In memory: root's apt would write its caches anew. */
const withoutCaches = [...option('Dir::Cache::pkgcache='), ...option('Dir::Cache::srcpkgcache=')]

const simulate = ['apt-get', '-s', '-q', '-y', ...withoutCaches, ...option('APT::Get::AutomaticRemove=false')]

/** What apt would do to install; also where it would not do so unasked, which we judge. */
export const simulateInstall = (params: Params, specs: readonly string[]): readonly string[] => [
  ...simulate,
  ...recommending(params),
  '--allow-downgrades',
  '--allow-change-held-packages',
  'install',
  ...specs,
]

export const simulateRemoval = (params: Params, names: readonly string[]): readonly string[] => [
  ...simulate,
  '--allow-change-held-packages',
  removal(params),
  ...names,
]

/** Installs just these. Without `allowed` apt itself refuses to remove anything or to go back. */
export const install = (
  params: Params,
  specs: readonly string[],
  allowed: { readonly removals: boolean; readonly downgrades: boolean },
): readonly string[] => [
  ...aptGet,
  ...recommending(params),
  ...(allowed.removals ? [] : ['--no-remove']),
  ...(allowed.downgrades ? ['--allow-downgrades'] : []),
  'install',
  ...specs,
]

export const remove = (params: Params, names: readonly string[]): readonly string[] => [
  ...aptGet,
  removal(params),
  ...names,
]

const removal = ({ purge }: Params) => (purge ? 'purge' : 'remove')

/** The versions that apt can get. */
export const madison = (names: readonly string[]): readonly string[] => [
  'apt-cache',
  ...withoutCaches,
  'madison',
  ...names,
]
