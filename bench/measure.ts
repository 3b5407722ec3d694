import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

/** A program, and what it is given. */
export interface Program {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Exit codes that are no failure; default only 0. */
  readonly codes?: readonly number[]
}

/** What a run of a program took, with all that it started and waited for. */
export interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
  /** The most that one of its processes had resident. */
  readonly peakMiB: number
}

/** A look at a program while it runs. */
export interface Sample {
  readonly atMs: number
  /** Memory of all its processes, what they share counted once. */
  readonly MiB: number
  readonly descriptors: number
}

/** Runs a program to its end, its output thrown away, and says what it took. Throws where it fails. */
export async function cost(program: Program): Promise<Cost> {
  return (await run(program)).cost
}

/** The same, looked at every so often: for memory over time, and not for time. */
export async function sampledCost(program: Program, everyMs: number): Promise<{ cost: Cost; samples: Sample[] }> {
  const samples: Sample[] = []
  const started = performance.now()
  const { cost } = await run(program, pid => {
    const look = () => {
      const pids = descendants(pid)
      const MiB = pids.reduce((sum, each) => sum + proportionalMiB(each), 0)
      const descriptors = pids.reduce((sum, each) => sum + namesIn(`/proc/${each}/fd`).length, 0)
      if (MiB > 0) samples.push({ atMs: Math.round(performance.now() - started), MiB, descriptors })
    }
    const timer = setInterval(look, everyMs)
    return () => clearInterval(timer)
  })
  return { cost, samples }
}

async function run(
  { argv, cwd, env, codes = [0] }: Program,
  watch: (pid: number) => () => void = () => () => {},
): Promise<{ cost: Cost }> {
  const child = spawn('/usr/bin/time', ['-q', '-f', '%e %U %S %M', ...argv], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'close')
  const done = watch(child.pid ?? 0)
  const started = performance.now()
  const [stderr, [code]] = await Promise.all([text(child.stderr), ended])
  const wallMs = performance.now() - started
  done()
  const lines = stderr.trimEnd().split('\n')
  if (!codes.includes(code)) throw new Error(`${argv.join(' ')}: exit ${code}\n${lines.slice(-20).join('\n')}`)
  const [, user = 0, system = 0, peakKiB = 0] = (lines.at(-1) ?? '').split(' ').map(Number)
  return { cost: { wallMs, cpuMs: (user + system) * 1000, peakMiB: peakKiB / 1024 } }
}

/** All processes below one. */
function descendants(pid: number): number[] {
  const parents = namesIn('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => [Number(name), Number(/\) \S (\d+)/.exec(textOf(`/proc/${name}/stat`))?.[1])] as const)
  const below = (parent: number): number[] =>
    parents.filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

function proportionalMiB(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024
}

/** A process that is gone has nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
