import { isSakError } from '../core/errors.ts'
import type { KnownFacts } from '../core/facts.ts'
import { type Host, hostFrom } from '../core/host.ts'
import type { Ask } from './overlay.ts'

const osRelease = ['/etc/os-release', '/usr/lib/os-release'] as const
const firmware = '/sys/class/dmi/id'

/** What the host tells of itself in Linux's way. Asked with the first reads, it costs no trip. */
export async function readFacts(ask: Ask): Promise<KnownFacts> {
  const host = hostFrom(ask)
  const [meminfo, cpuinfo, etc, lib, vendor, product, shell] = await Promise.all([
    contentOf(host, '/proc/meminfo'),
    contentOf(host, '/proc/cpuinfo'),
    contentOf(host, osRelease[0]),
    contentOf(host, osRelease[1]),
    contentOf(host, `${firmware}/sys_vendor`),
    contentOf(host, `${firmware}/product_name`),
    orEmpty(host.command(['sh', '-c', 'uname -m; df -Pk /']).then(({ stdout }) => stdout)),
  ])
  return {
    ramMiB: inMiB(/^MemTotal:\s*(\d+) kB$/m.exec(meminfo)?.[1]),
    cores: cpuinfo.match(/^processor\b/gm)?.length,
    arch: /^\w+$/m.exec(shell)?.[0],
    rootDiskMiB: inMiB(/^.*?\s(\d+)\s+\d+\s+\d+\s+\d+%\s+\/$/m.exec(shell)?.[1]),
    ...osFacts(etc || lib),
    'machine.vendor': vendor.trim() || undefined,
    'machine.product': product.trim() || undefined,
  }
}

/** The values of os-release: shell words, perhaps in quotes. */
function osFacts(text: string): Partial<KnownFacts> {
  const value = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1\\s*$`, 'm').exec(text)?.[2] || undefined
  const id = value('ID')
  if (id === undefined) return {}
  return {
    'os.id': id,
    'os.version': value('VERSION_ID'),
    'os.codename': value('VERSION_CODENAME'),
    'os.like': value('ID_LIKE')?.split(/\s+/) ?? [],
  }
}

const inMiB = (kibibytes: string | undefined) =>
  kibibytes === undefined ? undefined : Math.floor(Number(kibibytes) / 1024)

const contentOf = (host: Host, path: string) => orEmpty(host.file(path).then(({ content }) => content ?? ''))

/** What may not be read is not known; a host that is lost is lost. */
async function orEmpty(reading: Promise<string>): Promise<string> {
  try {
    return await reading
  } catch (error) {
    if (isSakError(error)) return ''
    throw error
  }
}
