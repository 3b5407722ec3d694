import type { HostFacts } from '../core/facts.ts'
import type { Ask } from './overlay.ts'

/** What the host is; undefined where it does not say so in Linux's way. Asked with the first reads, it costs no trip. */
export async function readFacts(ask: Ask): Promise<HostFacts | undefined> {
  const [meminfo, cpuinfo] = await Promise.all([contentOf(ask, '/proc/meminfo'), contentOf(ask, '/proc/cpuinfo')])
  const [, total] = /^MemTotal:\s*(\d+) kB$/m.exec(meminfo) ?? []
  if (total === undefined) return undefined
  return {
    ramMiB: Math.floor(Number(total) / 1024),
    cores: Math.max(1, cpuinfo.match(/^processor\s*:/gm)?.length ?? 1),
  }
}

async function contentOf(ask: Ask, path: string): Promise<string> {
  const answer = await ask({ kind: 'file', path })
  return answer.kind === 'file' ? (answer.file.content ?? '') : ''
}
