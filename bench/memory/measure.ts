/** What a host uses of its memory, by service. */
import type { TestHost } from '../../test/e2e/harness.ts'

/** MiB. `pss`: what is resident, shared pages divided among those who share them; `held`: without pages of files, which the kernel can drop. */
export interface Used {
  readonly pss: number
  readonly held: number
}

export interface Sample {
  /** By the task that accounts for it; `load` is what makes the load. */
  readonly parts: ReadonlyMap<string, Used>
  /** The kernel's own: slabs that it cannot drop, stacks, page tables, per-CPU data, buffers of sockets. */
  readonly kernel: number
  /** MemTotal without MemAvailable. */
  readonly used: number
  readonly total: number
}

const look = `cat /proc/meminfo; grep -s '^TCP:' /proc/net/sockstat
for d in /proc/[0-9]*; do
  m=$(grep -sE '^(Pss|Pss_Anon|Pss_Shmem):' $d/smaps_rollup) || continue
  [ -n "$m" ] && echo "process $(grep -s ^0:: $d/cgroup) $(tr '\\0' ' ' <$d/cmdline | head -c 120)" && echo "$m"
done`

export async function measure(host: TestHost): Promise<Sample> {
  const said = await host.output(look, { root: true })
  const [meminfo = '', ...processes] = said.split(/^process /m)
  const kB = (name: string, text = meminfo) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  const pages = Number(/^TCP:.* mem (\d+)/m.exec(meminfo)?.[1] ?? 0)
  const kernel = ['SUnreclaim', 'KernelStack', 'PageTables', 'Percpu'].reduce((sum, name) => sum + kB(name), pages * 4)
  const parts = new Map<string, Used>()
  for (const process of processes) {
    const part = partOf(process.slice(0, process.indexOf('\n')))
    const { pss = 0, held = 0 } = parts.get(part) ?? {}
    const more = kB('Pss_Anon', process) + kB('Pss_Shmem', process)
    parts.set(part, { pss: pss + kB('Pss', process) / 1024, held: held + more / 1024 })
  }
  const total = kB('MemTotal') / 1024
  return { parts, kernel: kernel / 1024, used: total - kB('MemAvailable') / 1024, total }
}

/** Whose a process is, by its unit and its command line. */
function partOf(process: string): string {
  if (/\/load-[\w-]+\.service/.test(process)) return 'load'
  if (/PM2 v\S+: God/.test(process)) return 'system'
  if (/pm2-logrotate/.test(process)) return 'pm2logrotate'
  if (/\/var\/www\//.test(process)) return 'pm2eco'
  if (/\/nginx\.service/.test(process)) return 'nginxconf'
  if (/postgresql@/.test(process)) return 'pgconf'
  return 'system'
}

/** The greatest of each part among samples. */
export function peakOf(samples: readonly Sample[]): Sample {
  const most = (of: (sample: Sample) => number) => Math.max(...samples.map(of))
  const names = new Set(samples.flatMap(({ parts }) => [...parts.keys()]))
  const parts = [...names].map(name => {
    const at = (key: keyof Used) => most(sample => sample.parts.get(name)?.[key] ?? 0)
    return [name, { pss: at('pss'), held: at('held') }] as const
  })
  return { parts: new Map(parts), kernel: most(s => s.kernel), used: most(s => s.used), total: most(s => s.total) }
}
