/**
 * What work on hosts over SSH costs: ours, the least that it can cost (floor.mjs), OpenSSH running `true`, and Ansible, as whole
 * processes in turn (ABAB). See README.md for the command and its options.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { forget, isInstalled, programOf, Scenario, stateBefore, Who, type Work } from './contenders.ts'
import { type BenchHosts, sshPort, startBenchHosts } from './hosts.ts'
import { cost, sampledCost } from './measure.ts'
import { writePage } from './page.ts'
import { proveSight, proveState } from './proof.ts'
import type { Results, Series } from './results.ts'
import { plotsOf, tableOf } from './table.ts'
import { startWire, type Wire, wirePort } from './wire.ts'

const list = (text: string) => text.split(',').filter(Boolean)
const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1,10,50' },
    forks: { type: 'string', default: '50' },
    scenarios: { type: 'string', default: Scenario.options.join(',') },
    who: { type: 'string', default: Who.options.join(',') },
    rounds: { type: 'string', default: '3' },
    delay: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('out', import.meta.url)) },
  },
})
const counts = list(options.hosts).map(Number)
const scenarios = list(options.scenarios).map(name => Scenario.parse(name))
const wanted = list(options.who).map(name => Who.parse(name))
const contenders = wanted.filter(isInstalled)
for (const who of wanted) if (!contenders.includes(who)) console.error(`${who}: not installed, left out`)
const rounds = Number(options.rounds)
const delayMs = options.delay === undefined ? undefined : Number(options.delay)

const hosts = await startBenchHosts(Math.max(...counts))
const wire = delayMs === undefined ? undefined : await startWire(delayMs)
const series: Series[] = []
try {
  for (const count of counts) {
    for (const forks of list(options.forks).map(Number)) {
      for (const scenario of scenarios) {
        series.push(...(await inTurn({ scenario, count, forks, port: wire ? wirePort : sshPort }, hosts, wire)))
      }
    }
  }
} finally {
  await wire?.stop()
  await hosts.stop()
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
const about = { at: new Date().toISOString(), node: process.version, cores: cpus().length, commit }
const results: Results = { ...about, series }
mkdirSync(options.out, { recursive: true })
writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results)}\n`)
await writePage(
  {
    title: 'What work on hosts over SSH costs',
    about: `${about.at.slice(0, 10)}, commit ${commit}, Node ${about.node}, ${about.cores} cores for client and hosts together. Medians.`,
    data: plotsOf(results),
  },
  join(options.out, 'results.html'),
)
console.log(tableOf(results))
console.log(`\n${join(options.out, 'results.json')}, and as a page results.html`)

/** A first round, in which memory is sampled, traffic counted and the work proved, and which warms caches, then the timed ones. */
async function inTurn(work: Work, hosts: BenchHosts, wire: Wire | undefined): Promise<Series[]> {
  const { scenario, count, forks } = work
  const ready = (who: Who) => {
    hosts.reset(stateBefore[scenario], count)
    return programOf(who, work, hosts)
  }
  const found: Series[] = []
  // what takes no notice of the files is the same whatever is to be done with them
  for (const who of contenders.filter(who => scenario === 'check' || who !== 'ssh true')) {
    if (scenario === 'check') {
      proveSight(who, work, hosts)
      forget(hosts)
    }
    const program = ready(who)
    await wire?.traffic()
    const { samples } = await sampledCost(program, 100)
    proveState('sync', count, hosts, `${who}: after ${scenario} of ${count} hosts`)
    forget(hosts)
    const traffic = await wire?.traffic()
    const about = { scenario, hosts: count, forks, who, delayMs: delayMs ?? 0, memory: samples }
    found.push({ ...about, wallMs: [], cpuMs: [], peakMiB: [], ...(traffic && { traffic }) })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { who, wallMs, cpuMs, peakMiB } of found) {
      const took = await cost(ready(who))
      forget(hosts)
      wallMs.push(took.wallMs)
      cpuMs.push(took.cpuMs)
      peakMiB.push(took.peakMiB)
    }
  }
  for (const each of found) console.error(`${count} hosts, ${scenario}, ${each.who}: ${each.wallMs.map(Math.round)} ms`)
  return found
}
