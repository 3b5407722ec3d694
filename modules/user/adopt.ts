import { type Adopted, type Host, parseAccounts, parseGroups } from 'sak-reconcile'
import type { z } from 'zod'
import { setting } from './foresee.ts'
import { Params } from './params.ts'

type Found = z.input<typeof Params>

/**
 * A task for each account of a person, by the range of numbers of login.defs(5). Their numbers are left out, because another host may have
 * given them to others, and passwords, because hashes are no text for a playbook.
 */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const [passwd, group, loginDefs] = await Promise.all([
    host.file('/etc/passwd'),
    host.file('/etc/group'),
    host.file('/etc/login.defs'),
  ])
  const bound = (name: string, otherwise: number) => Number(setting(loginDefs.content ?? '', name) ?? otherwise)
  const [least, most] = [bound('UID_MIN', 1000), bound('UID_MAX', 60_000)]
  const groups = parseGroups(group.content)
  const found = parseAccounts(passwd.content)
    .filter(({ uid }) => uid >= least && uid <= most)
    .map(({ name, gid, home, shell, comment }) => {
      const primary = groups.find(each => each.gid === gid)?.name
      return {
        name,
        ...(primary !== undefined && primary !== name && { group: primary }),
        groups: groups.filter(({ members }) => members.includes(name)).map(each => each.name),
        appendGroups: false,
        ...(home !== `/home/${name}` && { home }),
        ...(shell !== '/bin/bash' && { shell }),
        ...(comment !== '' && { comment }),
      }
    })
    .filter(params => Params.safeParse(params).success)
  return found.length > 0 ? found : 'there are no accounts of people in /etc/passwd'
}
