import {
  AbsolutePath,
  blocked,
  defineModule,
  type FileState,
  file,
  type Host,
  orUnreadable,
  renderTemplate,
  type SakError,
  write,
} from 'sak-reconcile'
import { z } from 'zod'
import { adopt } from './adopt.ts'
import { configurationGlobs, findOverrides, hidingPaths, mendOverrides, type Override } from './boot.ts'
import { obstacles, readKernel, setValues, type Values, valuesOf, withTwins } from './kernel.ts'
import { SysctlSettings } from './keys.ts'

const overrideHint =
  'remove the line (overrides: "remove" comments it out), or give our file a "path" that sorts after it'
const bootUnit = '/etc/systemd/system/systemd-sysctl.service'

const Params = z.strictObject({
  settings: SysctlSettings.describe(
    'Kernel parameters and their values: whole numbers, or texts of one line. `net.ipv4.conf.eth0/100.rp_filter` and `net/ipv4/conf/eth0.100/rp_filter` are the same parameter',
  ),
  path: AbsolutePath.regex(/^\/etc\/sysctl\.d\/[^/.][^/]*\.conf$/, {
    error: 'expected a path such as "/etc/sysctl.d/60-sak.conf": only such files are read at boot',
  })
    .default('/etc/sysctl.d/60-sak.conf')
    .describe('The file that keeps them, ours alone: /etc/sysctl.d/NAME.conf, since nothing else is read at boot'),
  overrides: z
    .enum(['report', 'remove'])
    .default('report')
    .describe(
      'Lines of other files that win over ours at boot: "report" blocks the task and names file and line, "remove" comments them out',
    ),
})

/** Keeps kernel parameters at their values, now and after a reboot. */
export const sysctl = defineModule({
  name: 'sysctl',
  description: 'Keeps kernel parameters at their values, now and after a reboot.',
  params: Params,
  impact: 'none',
  example: { settings: { 'vm.swappiness': 10, 'net.ipv4.tcp_rmem': '4096 131072 6291456' } },
  keys: {
    saved: 'the file, with owner root and mode 0644',
    running: "the kernel's values under /proc/sys",
    boot: 'lines of other files that would undo a setting at boot',
  },
  owns: ({ settings, path }) => [path, ...Object.keys(settings).map(key => `sysctl:${key}`)],

  async check(host, { settings, path, overrides }) {
    const desired = { saved: file(path, render(settings)), running: withTwins(settings) }
    const [saved, kernel, boot] = await Promise.all([
      orUnreadable(host.file(path)),
      orUnreadable(readKernel(host, Object.keys(desired.running))),
      orUnreadable(readBoot(host, desired.saved, settings)),
    ])
    const mended = 'kind' in boot ? { current: boot, desired: [] } : mendOverrides(boot.overrides)
    return {
      current: { saved, running: 'kind' in kernel ? kernel : valuesOf(kernel), boot: mended.current },
      desired: { ...desired, boot: mended.desired },
      blocked: [
        ...('kind' in kernel ? [] : obstacles(kernel, desired.running)),
        ...('kind' in boot ? [] : reasonsAtBoot(boot, overrides)),
      ],
    }
  },

  adopt,
  apply: ({ saved, running, boot }, { settings }) => [
    ...(running ? setValues(running.before, running.after, settings) : []),
    saved && write(saved.after),
    ...(boot ? boot.after.map(mended => write(mended)) : []),
  ],
})

/** What other files do to our settings. */
interface Boot {
  readonly overrides: readonly Override[]
  readonly masked: boolean
}

async function readBoot(host: Host, ours: FileState, settings: Values): Promise<Boot> {
  const [files, unit] = await Promise.all([host.files(configurationGlobs), host.stat(bootUnit)])
  const found = findOverrides(files, ours, settings)
  const hidden = await Promise.all(found.map(({ assignment }) => isHidden(host, assignment.file.path)))
  return { overrides: found.filter((_, index) => !hidden[index]), masked: unit?.type === 'other' }
}

/** A link to /dev/null hides the files of its name in weaker directories, and is no regular file that `host.files` would list. */
async function isHidden(host: Host, path: string): Promise<boolean> {
  const stats = await Promise.all(hidingPaths(path).map(other => host.stat(other)))
  return stats.some(stat => stat !== null)
}

function reasonsAtBoot({ overrides, masked }: Boot, mode: 'report' | 'remove'): SakError[] {
  const reported = mode === 'report' ? overrides : []
  return [
    ...reported.map(override => blocked('override', describe(override), overrideHint)),
    ...(masked
      ? [blocked('override', `${bootUnit} is masked: nothing is set at boot`, 'systemctl unmask systemd-sysctl')]
      : []),
  ]
}

function describe({ assignment: { file, line, key, value }, key: ours, when }: Override): string {
  const target = file.stat?.realPath
  const place = target ? `${target}:${line} (through ${file.path})` : `${file.path}:${line}`
  if (value === null) return `${place} takes ${key} out again ${when}`
  return `${place} sets ${key} = ${value} ${when}, ${key === ours ? 'after our file' : `which clears ${ours}`}`
}

function render(settings: Values): string {
  return renderTemplate(new URL('./sysctl.ejs', import.meta.url), { settings: Object.entries(settings) })
}
