import { type CommandResult, type FileRead, type Host, orUnreadable, type Stat, type Unreadable } from 'sak-reconcile'
import { type FileSystem, memoryKiB, parseFileSystem, parseSwaps, type SwapArea } from './parse.ts'

/** What the file at the path holds. Only root can tell; where the file is active, or not there, nobody needs to. */
export type Format = 'absent' | 'swap' | 'zeros' | 'something else'

export function isFormat(format: Format | Unreadable): format is Format {
  return typeof format === 'string'
}

/** What a host says about a swap file. */
export interface Facts {
  readonly stat: Stat | null
  readonly format: Format | Unreadable
  /** Active swap: this file, and all others. */
  readonly active: SwapArea | undefined
  readonly others: readonly SwapArea[]
  /** A file that stands in while this one is rebuilt; left over only where a run was cut off. */
  readonly bridge: { readonly stat: Stat | null; readonly active: SwapArea | undefined }
  readonly memoryKiB: { readonly total: number; readonly available: number }
  /** Undefined where the directory is missing. */
  readonly fileSystem: FileSystem | undefined
  readonly isContainer: boolean
  readonly hasSystemd: boolean
  /** A unit of its own that decides at boot instead of fstab. */
  readonly unit: { readonly path: string; readonly stat: Stat | null }
}

/** The name of the file that stands in while the swap file is rebuilt. */
export function bridgePath(path: string): string {
  return `${path}.sak-bridge`
}

/** Asks everything at once: one trip. */
export async function readFacts(host: Host, path: string): Promise<Facts> {
  const unitPath = `/etc/systemd/system/${unitName(path)}`
  const root = { as: 'root', dependsOn: [path] }
  const directory = path.slice(0, path.lastIndexOf('/')) || '/'
  const [stat, bridge, swaps, memory, disk, signature, zeros, nspawn, docker, systemd, unit] = await Promise.all([
    host.stat(path),
    host.stat(bridgePath(path)),
    host.file('/proc/swaps'),
    host.file('/proc/meminfo'),
    host.command(['findmnt', '-bno', 'FSTYPE,SIZE,AVAIL', '-T', directory]),
    orUnreadable(host.command(['blkid', '-p', '-s', 'TYPE', '-o', 'value', '--', path], root)),
    orUnreadable(host.command(['cmp', '-n', '1048576', '--', path, '/dev/zero'], root)),
    host.stat('/run/systemd/container'),
    host.stat('/.dockerenv'),
    host.stat('/run/systemd/system'),
    host.stat(unitPath),
  ])
  const areas = parseSwaps(contentOf(swaps))
  const active = areas.find(area => area.path === path)
  return {
    stat,
    format: stat === null ? 'absent' : active ? 'swap' : formatOf(signature, zeros),
    active,
    others: areas.filter(area => area.path !== path && area.path !== bridgePath(path)),
    bridge: { stat: bridge, active: areas.find(area => area.path === bridgePath(path)) },
    memoryKiB: {
      total: memoryKiB(contentOf(memory), 'MemTotal'),
      available: memoryKiB(contentOf(memory), 'MemAvailable'),
    },
    fileSystem: parseFileSystem(disk.stdout),
    isContainer: nspawn !== null || docker !== null,
    hasSystemd: systemd !== null,
    unit: { path: unitPath, stat: unit },
  }
}

/** A dead file, allocated by somebody who was cut off before mkswap, holds zeros: nothing is lost with it. */
function formatOf(signature: CommandResult | Unreadable, zeros: CommandResult | Unreadable): Format | Unreadable {
  if ('kind' in signature) return signature
  if ('kind' in zeros) return zeros
  if (signature.stdout.trim() === 'swap' || signature.stdout.trim() === 'swsuspend') return 'swap'
  // cmp says on stdout where the files differ, and on stderr that one of them ended before they did
  return signature.stdout.trim() === '' && zeros.code <= 1 && zeros.stdout === '' ? 'zeros' : 'something else'
}

/** The systemd unit of a swap file, as systemd-escape(1) names it. */
export function unitName(path: string): string {
  const escaped = Buffer.from(path.replace(/^\/+|\/+$/g, '').replace(/\/+/g, '/'))
  const characters = [...escaped].map((byte, index) => {
    const character = String.fromCharCode(byte)
    if (character === '/') return '-'
    return /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === '.')
      ? character
      : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `${characters.join('')}.swap`
}

const contentOf = (file: FileRead) => file.content ?? ''
