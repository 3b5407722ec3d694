/** One active swap area, as /proc/swaps has it. */
export interface SwapArea {
  readonly path: string
  readonly sizeKiB: number
  readonly usedKiB: number
  readonly priority: number
}

/** The active swap areas. */
export function parseSwaps(procSwaps: string): SwapArea[] {
  return procSwaps.split('\n').flatMap(line => {
    const found = /^(\/\S*)\s+\S+\s+(\d+)\s+(\d+)\s+(-?\d+)\s*$/.exec(line)
    const [, name = '', size, used, priority] = found ?? []
    if (!found) return []
    return [{ path: unescapeField(name), sizeKiB: Number(size), usedKiB: Number(used), priority: Number(priority) }]
  })
}

/** A value of /proc/meminfo in KiB; 0 where it is missing. */
export function memoryKiB(procMeminfo: string, name: 'MemTotal' | 'MemAvailable'): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(procMeminfo)?.[1] ?? 0)
}

/** A file system: its type, its size, and what is free for everybody. */
export interface FileSystem {
  readonly type: string
  readonly totalKiB: number
  readonly freeKiB: number
}

/** What `findmnt -bno FSTYPE,SIZE,AVAIL` printed; nothing where there is no such directory. */
export function parseFileSystem(said: string): FileSystem | undefined {
  const [, type = '', total, free] = /^(\S+) +(\d+) +(\d+)$/m.exec(said) ?? []
  return total === undefined ? undefined : { type, totalKiB: Number(total) / 1024, freeKiB: Number(free) / 1024 }
}

/** A field of /proc/swaps or fstab as it was meant: white space and backslashes stand there as \040. */
export function unescapeField(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** A path as a field of fstab and of /proc/swaps. */
export function escapeField(path: string): string {
  return path.replace(/[ \t\\]/g, character => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
