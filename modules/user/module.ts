import { type Checked, type DirectoryState, defineModule, type FileRead } from 'sak-reconcile'
import { adopt } from './adopt.ts'
import { filesAfter } from './foresee.ts'
import { type Found, readFound } from './found.ts'
import { newHome, readSkeleton } from './home.ts'
import { objections } from './objections.ts'
import { Params } from './params.ts'
import { staleOf } from './processes.ts'
import {
  type AccountState,
  currentLogin,
  currentState,
  desiredLogin,
  desiredState,
  type LoginState,
  lacksHome,
  missingGroups,
  wantedGroups,
} from './state.ts'
import { stepsOf } from './steps.ts'

interface State {
  /** Groups that are to be made. */
  readonly groups: readonly string[]
  readonly saved: AccountState | null
  /** Whether and how one may log in. */
  readonly login: LoginState
  /** A home that is to be made. */
  readonly home: DirectoryState | null
  /** Units of systemd in which the account runs on with other groups, and how they differ. */
  readonly running: Readonly<Record<string, string>>
  /** What apply must know; never differs. */
  readonly how: Found & { readonly skeleton: readonly FileRead[] }
}

/** Keeps an account of the system: its number, groups, home, shell, password and lock; or that there is none. */
export const user = defineModule({
  name: 'user',
  description:
    'Keeps an account of the system: its number, groups, home, shell, password and lock; or that there is none.',
  params: Params,
  impact: 'data',
  example: { name: 'shop', groups: ['www-data'], home: '/srv/shop', shell: '/usr/sbin/nologin' },
  keys: {
    saved: 'the account in /etc/passwd and /etc/group',
    login: 'its password, and whether it is locked, in /etc/shadow',
    groups: 'groups that are to be made',
    home: 'whether the home is there',
    running: 'units of systemd in which it runs on with other groups than it should have',
  },
  impactOf: ({ absent, renumber, groups, group, oldGroups }) => {
    if (absent || renumber) return 'data'
    return oldGroups === 'restart' && (groups !== undefined || group !== undefined) ? 'restart' : 'none'
  },
  owns: ({ name }) => [`user:${name}`],
  adopt,

  async check(host, params): Promise<Checked<State, State>> {
    const { found, running } = await readFound(host, params)
    const saved = desiredState(found, params)
    const looks = saved !== null && params.oldGroups === 'restart'
    const stale = looks ? staleOf(running, wantedGroups(found, params, saved)) : { units: {}, strays: [] }
    const home =
      saved && lacksHome(found, params) ? newHome(saved.home, params.name, saved.group, found.loginDefs) : null
    const how = { ...found, skeleton: home ? await readSkeleton(host) : [] }
    const groups = params.createGroups && saved ? missingGroups(found, params) : []
    const mended = Object.fromEntries(Object.keys(stale.units).map(unit => [unit, 'with its groups']))
    return {
      current: {
        groups: [],
        saved: currentState(found),
        login: saved ? currentLogin(found, params) : {},
        home: null,
        running: stale.units,
        how,
      },
      desired: { groups, saved, login: saved ? desiredLogin(params) : {}, home, running: mended, how },
      blocked: objections(found, params, running, stale),
    }
  },

  apply: ({ groups, login, home, running }, params, { saved: from, how }) => {
    const to = desiredState(how, params)
    const made = groups?.after ?? []
    return stepsOf(
      {
        found: how,
        from,
        to,
        login,
        groups: made,
        home: home?.after ?? null,
        skeleton: how.skeleton,
        units: Object.keys(running?.after ?? {}),
        leaves: filesAfter(how, params, to, made),
      },
      params,
    )
  },
})
