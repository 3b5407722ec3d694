import type { ServerHostKeyAlgorithm } from 'ssh2'
import { SakError } from '../core/errors.ts'
import type { Hop } from './hop.ts'
import {
  fingerprint,
  hostKeyAlgorithms,
  hostKeyName,
  judge,
  type KnownHost,
  keyType,
  knownHostsLine,
  parseKnownHosts,
  type Verdict,
} from './known-hosts.ts'
import { appendKnownHost, readKnownHosts } from './known-hosts-file.ts'
import type { RunState } from './run-state.ts'

/** What is known about one server's keys before it is met. */
export interface HostKeys {
  readonly algorithms: ServerHostKeyAlgorithm[]
  /** Settles for a key that may be trusted; otherwise throws a SakError that says what to do. */
  check(key: Buffer): Promise<void>
}

export async function prepareHostKeys(hop: Hop, state: RunState): Promise<HostKeys> {
  const files = [...hop.userKnownHosts, ...hop.globalKnownHosts]
  const entries = await state.knownHosts.get(files.join('\n'), async () => await readKnownHosts(files))
  const name = hop.hostKeyAlias?.toLowerCase() ?? hostKeyName(hop.address, hop.port)
  const plainName = hop.hostKeyAlias === undefined ? hop.address.toLowerCase() : name
  const algorithms = hostKeyAlgorithms(entries, name)
  return { algorithms, check: async key => await check({ hop, state, entries, name, plainName, key }) }
}

interface Shown {
  readonly hop: Hop
  readonly state: RunState
  readonly entries: KnownHost[]
  readonly name: string
  /** Without the port: ssh takes a key that is known so, too. */
  readonly plainName: string
  readonly key: Buffer
}

async function check(shown: Shown): Promise<void> {
  const { hop, state, entries, name, plainName, key } = shown
  if (hop.hostKeyChecking === 'off') {
    state.warn("host key checking is off: whoever answers in a host's place is trusted and given every secret")
    return
  }
  const verdict = judgeBoth(entries, name, plainName, key)
  if (verdict.kind === 'known') return
  if (verdict.kind === 'revoked') throw revoked(shown, verdict.entry)
  if (verdict.kind === 'changed') throw changed(shown, verdict.entry)
  if (hop.hostKeyChecking === 'strict') throw unknown(shown, verdict.authority)
  await accept(shown)
}

function judgeBoth(entries: readonly KnownHost[], name: string, plainName: string, key: Buffer): Verdict {
  const verdict = judge(entries, name, key)
  if (verdict.kind !== 'unknown' || name === plainName) return verdict
  const plain = judge(entries, plainName, key)
  return plain.kind === 'known' || plain.kind === 'revoked' ? plain : verdict
}

async function accept({ hop, state, entries, name, key }: Shown): Promise<void> {
  const file = hop.userKnownHosts[0]
  if (file === undefined) return
  const line = knownHostsLine(name, key, hop.hashKnownHosts)
  entries.push(...parseKnownHosts(line, file))
  await appendKnownHost(file, line)
  state.warn(`${hop.name}: its host key ${describe(key)} was not known and is accepted from now on (${file})`)
}

function describe(key: Buffer): string {
  return `${keyType(key) ?? 'unknown'} ${fingerprint(key)}`
}

function unknown({ hop, key }: Shown, authority: KnownHost | undefined): SakError {
  const file = hop.userKnownHosts[0] ?? '~/.ssh/known_hosts'
  const type = keyType(key)?.replace(/^ssh-|-sha2.*$/g, '')
  const scan = `ssh-keyscan -t ${type} -p ${hop.port} ${hop.address} >> ${file}`
  const certificates =
    authority &&
    ` (${authority.file}:${authority.line} trusts a certificate authority for it, but certificates are not supported)`
  return new SakError(
    'host-key-unknown',
    `${hop.name} shows a host key that is not known: ${describe(key)}${certificates ?? ''}`,
    {
      hint: `compare the fingerprint on the host itself (ssh-keygen -lf /etc/ssh/ssh_host_${type}_key.pub), then: ${scan} — or run once with --host-key-checking accept-new`,
    },
  )
}

function changed({ hop, key, name }: Shown, entry: KnownHost): SakError {
  const what = `${hop.name} shows the host key ${describe(key)}, but ${entry.file}:${entry.line} knows ${describe(entry.key)}`
  return new SakError('host-key-changed', what, {
    hint: `somebody may be listening in. Only if the host was set up anew: ssh-keygen -f ${entry.file} -R '${name}', then accept the new key`,
  })
}

function revoked({ hop, key }: Shown, entry: KnownHost): SakError {
  return new SakError(
    'host-key-revoked',
    `${hop.name} shows the host key ${describe(key)}, which is revoked by ${entry.file}:${entry.line}`,
    {
      hint: 'the key is known to be stolen or retired: do not connect; give the host a new key (ssh-keygen -A on the host)',
    },
  )
}
