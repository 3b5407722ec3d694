/** The whole campaign: `npm run campaign`; see README.md here. */
import { appendFileSync, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startHosts } from '../e2e/harness.ts'
import { CaseDone, campaign, type Density } from './campaign.ts'
import { caseLine, table } from './table.ts'

const { values } = parseArgs({
  options: {
    light: { type: 'string' },
    full: { type: 'string' },
    density: { type: 'string', default: 'every' },
    subjects: { type: 'string' },
    faults: { type: 'string' },
    keep: { type: 'string' },
  },
})
const densities: readonly Density[] = ['every', 'boundaries', 'few']
const density = densities.find(each => each === values.density)
if (!density) throw new Error(`--density is one of ${densities.join(', ')}`)
const wanted =
  values.light || values.full
    ? { light: Number(values.light ?? 0), full: Number(values.full ?? 0) }
    : { light: 2, full: 1 }
const { hosts, stop } = await startHosts(wanted)
const known = values.keep && existsSync(values.keep) ? keptCases(await readFile(values.keep, 'utf8')) : []
const list = (names: string | undefined) => names?.split(',')
const narrowed = { subjects: list(values.subjects), faults: list(values.faults), known }
try {
  const onCase = (done: CaseDone) => {
    console.log(caseLine(done))
    if (values.keep) appendFileSync(values.keep, `${JSON.stringify(done)}\n`)
  }
  const light = hosts.filter(({ tier }) => tier === 'light')
  const full = hosts.filter(({ tier }) => tier === 'full')
  // full hosts are slow: beside light ones they are for what only a machine of its own shows
  const ofItsOwn = light.length > 0 ? ['power cut'] : undefined
  const cases = [
    ...known,
    ...(await campaign({ ...narrowed, hosts: light, density, onCase })),
    ...(await campaign({ ...narrowed, faults: narrowed.faults ?? ofItsOwn, hosts: full, density, onCase })),
  ]
  console.log(`\n${table(cases)}`)
  process.exitCode = cases.some(({ verdict }) => verdict === 'HALF') ? 1 : 0
} finally {
  await stop()
}

/** What an earlier campaign kept, a case a line; those in which something was wrong are made again. */
function keptCases(text: string): readonly CaseDone[] {
  const lines = text.split('\n').filter(line => line !== '')
  return lines.map(line => CaseDone.parse(JSON.parse(line))).filter(({ wrong }) => wrong.length === 0)
}
