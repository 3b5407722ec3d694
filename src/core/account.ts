import type { Host } from './host.ts'

/** An account of the system: a line of /etc/passwd. */
export interface Account {
  readonly name: string
  readonly uid: number
  /** The number of its primary group. */
  readonly gid: number
  readonly comment: string
  /** Without a slash at its end. */
  readonly home: string
  readonly shell: string
}

/** A group of the system: a line of /etc/group. */
export interface Group {
  readonly name: string
  readonly gid: number
  /** The accounts that are in it beside those whose primary group it is. */
  readonly members: readonly string[]
}

/** The accounts of a text in the form of /etc/passwd. Lines that are none (comments, `+` of NIS) are left out. */
export function parseAccounts(text: string | null): readonly Account[] {
  return linesOf(text).flatMap(([name = '', , uid = '', gid = '', comment = '', home = '', shell = '']) => {
    if (!isNumber(uid) || !isNumber(gid)) return []
    return [{ name, uid: Number(uid), gid: Number(gid), comment, home: home.replace(/(.)\/+$/, '$1'), shell }]
  })
}

/** The groups of a text in the form of /etc/group. */
export function parseGroups(text: string | null): readonly Group[] {
  return linesOf(text).flatMap(([name = '', , gid = '', members = '']) =>
    isNumber(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter(member => member !== '') }] : [],
  )
}

const linesOf = (text: string | null) => (text ?? '').split('\n').map(line => line.trimEnd().split(':'))
const isNumber = (text: string) => /^\d+$/.test(text)

/** An account by its name. Looks in the file first, which a dry run can foresee, then asks the other sources of names. */
export async function readAccount(host: Host, name: string): Promise<Account | undefined> {
  return readEntry(host, 'passwd', name, parseAccounts)
}

/** A group by its name: see `readAccount`. */
export async function readGroup(host: Host, name: string): Promise<Group | undefined> {
  return readEntry(host, 'group', name, parseGroups)
}

async function readEntry<Entry extends Account | Group>(
  host: Host,
  database: 'passwd' | 'group',
  name: string,
  parse: (text: string | null) => readonly Entry[],
): Promise<Entry | undefined> {
  const named = (text: string | null) => parse(lineOf(text ?? '', name))[0]
  const { content } = await host.file(`/etc/${database}`)
  return named(content) ?? named((await host.command(['getent', database, name])).stdout)
}

/** The line of a name, looked for rather than taken out of all of them: a host may have thousands, and each task asks for its own. */
function lineOf(text: string, name: string): string {
  const begins = `${name}:`
  const at = text.startsWith(begins) ? 0 : text.indexOf(`\n${begins}`) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(at, end < 0 ? undefined : end)
  return line.startsWith(begins) ? line : ''
}
