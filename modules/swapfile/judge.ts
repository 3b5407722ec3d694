import { blocked, inSync, type SakError } from 'sak-reconcile'
import type { Facts, Format } from './facts.ts'

/** A swap file as it is or as it should be. Sizes are those that the kernel uses where it is active. */
export interface Running {
  readonly file: Format
  readonly active: boolean
  readonly sizeMiB?: number
  readonly holes?: boolean
  readonly mode?: string
  readonly owner?: string
  readonly priority?: number
  /** A stand-in that a run which was cut off has left. */
  readonly bridge: 'absent' | 'inactive' | 'active'
}

/** What decides how the steps look, and is no difference itself. */
export interface How {
  readonly filling: 'fallocate' | 'fallocate without copy-on-write' | 'writing zeros'
  /** Whether memory is too short for what is swapped out, so that a stand-in must take it while the file is off. */
  readonly bridge: boolean
  readonly hasSystemd: boolean
}

export interface Params {
  readonly path: string
  readonly sizeMiB: number
  readonly priority?: number | undefined
  readonly state: 'present' | 'absent'
}

export function runningOf({ stat, active, bridge }: Facts, file: Format): Running {
  const left = bridge.active ? 'active' : bridge.stat ? 'inactive' : 'absent'
  if (stat === null) return { file, active: false, bridge: left }
  return {
    file,
    active: active !== undefined,
    // the kernel does not count the page of the header
    sizeMiB: active ? Math.ceil(active.sizeKiB / 1024) : Math.ceil((stat.size * 1000) / 1024 ** 2) / 1000,
    holes: active === undefined && stat.allocated < stat.size,
    mode: stat.mode,
    owner: `${stat.owner}:${stat.group}`,
    ...(active && { priority: active.priority }),
    bridge: left,
  }
}

export function desiredOf({ state, sizeMiB, priority }: Params, { active }: Facts): Running {
  if (state === 'absent') return { file: 'absent', active: false, bridge: 'absent' }
  const wanted = priority ?? active?.priority
  return {
    file: 'swap',
    active: true,
    sizeMiB,
    holes: false,
    mode: '0600',
    owner: 'root:root',
    ...(wanted !== undefined && { priority: wanted }),
    bridge: 'absent',
  }
}

/** Whether the file must be made anew: what is in an inactive one is worth nothing. */
export function needsRebuild(before: Running, after: Running, how: How): boolean {
  if (after.file === 'absent') return false
  if (before.file === 'absent' || before.holes || before.sizeMiB !== after.sizeMiB) return true
  return !before.active && how.filling === 'fallocate without copy-on-write'
}

/** Whether the kernel must let go of the file and take it again. */
export function needsActivation(before: Running, after: Running, how: How): boolean {
  if (after.file === 'absent') return false
  return needsRebuild(before, after, how) || !before.active || before.priority !== after.priority
}

/** Whether a stand-in takes what is swapped out while the kernel lets go of the file. */
export function usesBridge(before: Running, after: Running, how: How): boolean {
  return how.bridge && before.active && needsActivation(before, after, how)
}

const unfit: Readonly<Record<string, string>> = {
  overlay: 'an overlay',
  aufs: 'an overlay',
  ecryptfs: 'an overlay',
  tmpfs: 'memory',
  ramfs: 'memory',
  nfs: 'the network',
  nfs4: 'the network',
  cifs: 'the network',
  smb3: 'the network',
  ceph: 'the network',
  afs: 'the network',
  '9p': 'a file system of the machine below',
  virtiofs: 'a file system of the machine below',
  zfs: 'ZFS',
  vfat: 'a file system without owners and modes',
  msdos: 'a file system without owners and modes',
  exfat: 'a file system without owners and modes',
  ntfs3: 'a file system without owners and modes',
  squashfs: 'a read-only file system',
  iso9660: 'a read-only file system',
}

/** Why the kernel takes no swap file there, where it is known that it does not. */
function unfitness(type: string): string | undefined {
  return type.startsWith('fuse') ? 'a FUSE file system' : unfit[type]
}

/** The file systems on which allocated space counts as written. */
const allocates = new Set(['ext4', 'xfs'])

export function howOf(facts: Facts, params: Params): How {
  const type = facts.fileSystem?.type ?? ''
  const filling =
    type === 'btrfs' ? 'fallocate without copy-on-write' : allocates.has(type) ? 'fallocate' : 'writing zeros'
  const bridge = params.state === 'present' && facts.bridge.active === undefined && memoryShortage(facts) > 0
  return { filling, bridge, hasSystemd: facts.hasSystemd }
}

/** How much memory is missing, in KiB, for what is swapped out to the file, with a tenth of all memory to spare. */
function memoryShortage({ active, others, bridge, memoryKiB }: Facts): number {
  if (!active || active.usedKiB === 0) return 0
  const room = memoryKiB.available + freeSwap([...others, ...(bridge.active ? [bridge.active] : [])])
  return active.usedKiB + spareMemory(memoryKiB.total) - room
}

const spareMemory = (totalKiB: number) => Math.max(64 * 1024, totalKiB / 10)

/** Room in other swap. A zram device is left out: it lies in the memory that is short. */
function freeSwap(areas: Facts['others']): number {
  return areas
    .filter(({ path }) => !/^\/dev\/zram/.test(path))
    .reduce((sum, area) => sum + area.sizeKiB - area.usedKiB, 0)
}

/** Why the swap file cannot be brought from one state to the other; the first reason is enough. */
export function obstacles(facts: Facts, params: Params, before: Running, after: Running, how: How): SakError[] {
  if (inSync(before, after)) return []
  const reason =
    foreign(facts, params, before) ??
    (needsActivation(before, after, how) ? unsuitable(facts, params) : undefined) ??
    tooLittleMemory(facts, params, before, after, how) ??
    (needsRebuild(before, after, how) ? tooLittleDisk(facts, params, before, after, how) : undefined)
  return reason ? [reason] : []
}

function foreign({ stat }: Facts, { path }: Params, before: Running): SakError | undefined {
  if (stat?.realPath !== undefined) {
    return blocked('refused', `${path} is a link to ${stat.realPath}`, 'set "path" to the file itself')
  }
  if (stat && stat.type !== 'file') return blocked('refused', `${path} is no regular file`, 'set "path" to another')
  if (before.file !== 'something else') return undefined
  return blocked(
    'refused',
    `${path} is there, and is no swap file: what it holds would be lost`,
    'move it away, or set "path" to another',
  )
}

function unsuitable({ isContainer, fileSystem }: Facts, { path }: Params): SakError | undefined {
  if (isContainer) {
    return blocked(
      'unsupported',
      'a container has no swap of its own',
      'set it up on the machine that runs the container',
    )
  }
  if (!fileSystem) return blocked('refused', `the directory of ${path} is missing`, 'make it, or set "path" to another')
  const reason = unfitness(fileSystem.type)
  if (reason === undefined) return undefined
  return blocked(
    'unsupported',
    `${path} would lie on ${reason} (${fileSystem.type}), where the kernel takes no swap file`,
    'set "path" to a file on ext4, xfs or btrfs',
  )
}

function tooLittleMemory(
  facts: Facts,
  { path }: Params,
  before: Running,
  after: Running,
  how: How,
): SakError | undefined {
  const mustLetGo = before.active && (!after.active || needsActivation(before, after, how))
  const missing = memoryShortage(facts)
  if (!mustLetGo || missing <= 0) return undefined
  const bridgeKiB = facts.active?.sizeKiB ?? 0
  if (usesBridge(before, after, how) && roomLeft(facts, bridgeKiB) >= 0) return undefined
  const used = facts.active?.usedKiB ?? 0
  return blocked(
    'refused',
    `${mib(used)} MiB are swapped out to ${path}, and memory and other swap have room for ${mib(used - missing)} MiB: turning it off would end programs`,
    `stop what uses the memory${how.bridge ? `, or free ${mib(-roomLeft(facts, bridgeKiB))} MiB of disk for a second file` : ''}`,
  )
}

function tooLittleDisk(
  facts: Facts,
  { path, sizeMiB }: Params,
  before: Running,
  after: Running,
  how: How,
): SakError | undefined {
  const allocated = (facts.stat?.allocated ?? 0) / 1024
  const bridge = usesBridge(before, after, how) ? (facts.active?.sizeKiB ?? 0) : 0
  const left = roomLeft(facts, sizeMiB * 1024 - allocated + bridge)
  if (left >= 0) return undefined
  return blocked(
    'refused',
    `${sizeMiB} MiB for ${path} do not fit: ${mib(facts.fileSystem?.freeKiB ?? 0)} MiB are free, and a twentieth of the disk must stay so`,
    `free ${mib(-left)} MiB, or set a smaller "size"`,
  )
}

/** What is left to give away of the disk once so much is taken, in KiB; below 0 where it is too much. */
function roomLeft({ fileSystem }: Facts, takenKiB: number): number {
  if (!fileSystem) return 0
  return fileSystem.freeKiB - fileSystem.totalKiB / 20 - takenKiB
}

const mib = (kib: number) => Math.ceil(kib / 1024)
