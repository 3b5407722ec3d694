import { type Results, ratios, type Series, spread } from './results.ts'

/** Series that were run in turn: the same scenario, on the same hosts. */
export function groupsOf({ series }: Pick<Results, 'series'>): readonly (readonly Series[])[] {
  const keyOf = ({ scenario, hosts, forks, delayMs }: Series) => [delayMs, scenario, hosts, forks].join(' ')
  const keys = [...new Set(series.map(keyOf))]
  return keys.map(key => series.filter(each => keyOf(each) === key))
}

/** The results as a table of Markdown. `ours / it` is the median of the ratios of each round, and in brackets the least and the most. */
export function tableOf(results: Pick<Results, 'series'>): string {
  const head = [
    'hosts',
    'forks',
    'RTT ms',
    'scenario',
    'what',
    'wall ms',
    'ours / it',
    'CPU ms',
    'CPU ms a host',
    'peak MiB',
    'round trips a host',
    'KiB a host out, in',
  ]
  const rows = groupsOf(results).flatMap(group => {
    const ours = group.find(({ who }) => who === 'ours')
    return group.map(each => row(each, ours))
  })
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function row(series: Series, ours: Series | undefined): readonly string[] {
  const { hosts, forks, delayMs, scenario, who, traffic } = series
  const [wall, cpu] = [spread(series.wallMs), spread(series.cpuMs)]
  const aHost = (value: number, digits = 1) => (value / hosts).toFixed(digits)
  return [
    String(hosts),
    String(forks),
    String(delayMs),
    scenario,
    who,
    `${wall.median.toFixed(0)} (${wall.least.toFixed(0)} to ${wall.most.toFixed(0)})`,
    ours && ours !== series ? ratioOf(ours, series) : '',
    cpu.median.toFixed(0),
    aHost(cpu.median),
    peakOf(series).toFixed(0),
    traffic ? aHost(traffic.roundTrips) : '',
    traffic ? `${aHost(traffic.sent / 1024)}, ${aHost(traffic.received / 1024)}` : '',
  ]
}

function ratioOf(ours: Series, other: Series): string {
  const { median, least, most } = ratios(ours.wallMs, other.wallMs)
  const digits = (value: number) => value.toFixed(value < 0.1 ? 3 : 2)
  return `${digits(median)} (${digits(least)} to ${digits(most)})`
}

/** Of all processes together, where that was looked at: most contenders are many. */
export function peakOf({ peakMiB, memory = [] }: Series): number {
  return Math.max(...peakMiB, ...memory.map(({ MiB }) => MiB))
}

/** What plots.mjs draws of it: a point for each series, and what our memory was over time with the most hosts. */
export function plotsOf({ series }: Pick<Results, 'series'>) {
  const most = Math.max(...series.map(({ hosts }) => hosts))
  return {
    points: series.map(each => {
      const { scenario, hosts, forks, delayMs, who } = each
      const wall = spread(each.wallMs)
      const { median: cpuMs } = spread(each.cpuMs)
      return { scenario, hosts, forks, delayMs, who, wall, cpuMsPerHost: cpuMs / hosts, peakMiB: peakOf(each) }
    }),
    memory: series.flatMap(({ who, scenario, hosts, forks, delayMs, memory = [] }) =>
      who === 'ours' && hosts === most
        ? memory.map(({ atMs, MiB }) => ({ run: runName(scenario, hosts, forks, delayMs), atMs, MiB }))
        : [],
    ),
  }
}

const runName = (scenario: string, hosts: number, forks: number, delayMs: number) =>
  `${scenario}, ${hosts} host${hosts === 1 ? '' : 's'}, ${forks} at once${delayMs > 0 ? `, RTT ${delayMs} ms` : ''}`
