import {
  AbsolutePath,
  absent,
  blocked,
  daemonReload,
  defineModule,
  type FileRead,
  type FileState,
  file,
  orUnreadable,
  type SakError,
  Size,
  sizeBytes,
  type Unreadable,
  write,
} from 'sak-reconcile'
import { z } from 'zod'
import { adopt } from './adopt.ts'
import { advice } from './advice.ts'
import { type Facts, isFormat, readFacts } from './facts.ts'
import { editFstab, priorityIn, type Wanted } from './fstab.ts'
import { desiredOf, howOf, obstacles, runningOf } from './judge.ts'
import { bringUp, takeDown, takeDownBridge } from './steps.ts'

const fstab = '/etc/fstab'
const MiB = 1024 ** 2

const Params = z.strictObject({
  path: AbsolutePath.refine(path => path !== '/', { error: 'expected a path such as "/swapfile"' })
    .default('/swapfile')
    .describe('The swap file'),
  size: Size.refine(size => sizeBytes(size) >= MiB && sizeBytes(size) % MiB === 0, {
    error: 'expected whole mebibytes, such as "512M" or "2G"',
  })
    .default('2G')
    .describe('Its size, in whole mebibytes'),
  priority: z
    .int()
    .min(0)
    .max(32767)
    .optional()
    .describe(
      'Its priority among several swap areas, the higher the sooner used. Left out, that of fstab counts, else the kernel chooses',
    ),
  state: z
    .enum(['present', 'absent'])
    .default('present')
    .describe('Whether there should be one; "absent" takes it out of use and removes it'),
})

/** Keeps a swap file: of the right size, in use now, and again after a reboot. */
export const swapfile = defineModule({
  name: 'swapfile',
  description: 'Keeps a swap file: of the right size, in use now, and again after a reboot.',
  params: Params,
  impact: 'data',
  example: { size: '2G' },
  keys: {
    saved: "the file's line in /etc/fstab",
    running: 'whether the kernel uses the file, its size and priority; mode, owner, holes',
    boot: 'that systemd takes it from fstab, and no unit of the same name decides',
  },
  advice,
  owns: ({ path }) => [path, `fstab:${path}`],

  async check(host, { path, size, priority, state }) {
    const [table, facts] = await Promise.all([orUnreadable(host.file(fstab)), readFacts(host, path)])
    const standing = 'error' in table ? undefined : priorityIn(table.content ?? '', path)
    const wanted = { path, sizeMiB: sizeBytes(size) / MiB, priority: priority ?? standing, state }
    const how = howOf(facts, wanted)
    const running = isFormat(facts.format) ? runningOf(facts, facts.format) : facts.format
    const desired = desiredOf(wanted, facts)
    const inTheWay = 'kind' in running ? [] : obstacles(facts, wanted, running, desired, how)
    return {
      current: { saved: table, running, boot: facts.unit.stat === null ? fstab : facts.unit.path, how },
      desired: { saved: desiredTable(table, wanted), running: desired, boot: fstab, how },
      blocked: [...inTheWay, ...unitInTheWay(facts)],
    }
  },

  adopt,
  apply: ({ saved, running }, { path }, { how }) => {
    const table = saved ? [write(saved.after), how.hasSystemd && daemonReload()] : []
    if (!running) return table
    const { before, after } = running
    const bridge = takeDownBridge(path, before, after, how)
    // fstab never names a file that is not there, so that a boot in between finds nothing wrong
    return after.file === 'absent'
      ? [...table, ...takeDown(path, before), ...bridge]
      : [...bringUp(path, before, after, how), ...table, ...bridge]
  },
})

function desiredTable(table: FileRead | Unreadable, wanted: Wanted): FileState {
  if ('error' in table || (table.content === null && wanted.state === 'absent')) return absent(fstab)
  const { content, mode = '0644', owner = 'root', group = 'root' } = table
  return file(fstab, editFstab(content ?? '', wanted), { mode, owner, group })
}

/** A unit of the same name in /etc hides the one that systemd makes from fstab. */
function unitInTheWay({ unit }: Facts): SakError[] {
  if (unit.stat === null) return []
  const what =
    unit.stat.type === 'file' ? 'decides at boot instead of fstab' : 'is masked: the file is not used at boot'
  return [blocked('override', `${unit.path} ${what}`, 'remove it, then run systemctl daemon-reload')]
}
