/**
 * How the time of a dry run grows with what there is to show, on this machine without SSH: long files, many changes, many tasks.
 * After `npm run build`: npx tsx --conditions=sak-source bench/large.ts [rounds]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cost, cost } from './measure.ts'
import { writePage } from './page.ts'
import { spread } from './results.ts'

const rounds = Number(process.argv[2] ?? 3)
const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'sak-large-'))

/** Lines of a configuration file, with others where `changed` says so. */
const linesOf = (bytes: number, changed: (line: number) => boolean) =>
  Array.from({ length: Math.ceil(bytes / 32) }, (_, line) =>
    `setting_${line} = ${changed(line) ? 'new' : 'old'}`.padEnd(31, ' #'),
  )
    .join('\n')
    .concat('\n')

interface Case {
  readonly name: string
  readonly sizes: readonly number[]
  /** Prepares a size in a folder, and answers the code of a playbook's tasks. */
  readonly prepare: (size: number, folder: string) => string
}

const MiB = 1024 * 1024
const fileTask = (path: string) =>
  `file({ path: ${JSON.stringify(path)}, content: readFileSync(${JSON.stringify(`${path}.new`)}, 'utf8') })`

/** A file of so many MiB. */
function longFile(name: string, changed: (line: number) => boolean, isThere = true): Case {
  return {
    name: `a file of MiB, ${name}`,
    sizes: [1.25, 2.5, 5],
    prepare: (size, folder) => {
      const path = join(folder, 'app.conf')
      if (isThere)
        writeFileSync(
          path,
          linesOf(size * MiB, () => false),
        )
      writeFileSync(`${path}.new`, linesOf(size * MiB, changed))
      return fileTask(path)
    },
  }
}

const cases: readonly Case[] = [
  longFile('new', () => true, false),
  longFile('one line differs', line => line === 20_000),
  longFile('each 100th line differs', line => line % 100 === 0),
  longFile('each line differs', () => true),
  {
    name: 'changes of a task',
    sizes: [200, 400, 800],
    prepare: size => `many({ count: ${size} })`,
  },
  {
    name: 'tasks that differ',
    sizes: [500, 1000, 2000],
    prepare: (size, folder) => {
      for (let task = 0; task < size; task++) writeFileSync(join(folder, String(task)), 'old\n')
      return `...Array.from({ length: ${size} }, (_, task) => file({ path: ${JSON.stringify(folder)} + '/' + task, content: 'new\\n' }, { label: 'task ' + task }))`
    },
  },
]

const playbook = (tasks: string) => `import { readFileSync } from 'node:fs'
import { defineModule, definePlaybook } from 'sak-reconcile'
import { file } from 'sak-reconcile/modules'
import { z } from 'zod'
const many = defineModule({
  name: 'many',
  description: 'Has many settings.',
  params: z.strictObject({ count: z.number() }),
  impact: 'none',
  owns: () => [],
  check: async (host, { count }) => {
    await host.file('/etc/hostname')
    const all = value => Object.fromEntries(Array.from({ length: count }, (_, index) => ['setting ' + index, value]))
    return { current: { saved: all('old'), running: all('old') }, desired: { saved: all('new'), running: all('new') } }
  },
  apply: () => [],
})
export default definePlaybook({ name: 'large', tasks: () => [${tasks}] })
`

const growth: { name: string; size: number; cpuMs: number; peakMiB: number }[] = []
console.log('| what | size | CPU ms | peak MiB |\n| --- | --- | --- | --- |')
try {
  for (const { name, sizes, prepare } of cases) {
    for (const size of sizes) {
      const folder = join(directory, 'files')
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      writeFileSync(join(directory, 'large.mjs'), playbook(prepare(size, folder)))
      const argv = [process.execPath, cli, './large.mjs', '-n']
      const costs: Cost[] = []
      for (let round = 0; round < rounds; round++) {
        costs.push(await cost({ argv, cwd: directory, env: { HOME: directory }, codes: [2] }))
      }
      const of = (value: (cost: Cost) => number) => Math.round(spread(costs.map(value)).least)
      growth.push({ name, size, cpuMs: of(({ cpuMs }) => cpuMs), peakMiB: of(({ peakMiB }) => peakMiB) })
    }
    const found = growth.filter(each => each.name === name)
    const row = (['size', 'cpuMs', 'peakMiB'] as const).map(what => found.map(each => each[what]).join(', '))
    console.log(`| ${[name, ...row].join(' | ')} |`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
const out = fileURLToPath(new URL('out', import.meta.url))
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'large.json'), `${JSON.stringify(growth)}\n`)
const about = 'Client CPU of a dry run on this machine, start and all: the least of all rounds.'
await writePage({ title: 'What much to show costs', about, data: { growth } }, join(out, 'large.html'))
