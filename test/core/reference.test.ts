import { readdir, readFile } from 'node:fs/promises'
import { durationMs, Size } from 'sak-reconcile'
import * as modules from 'sak-reconcile/modules'
import { t3Medium } from 'sak-reconcile/playbooks/t3-medium'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { t3SmallBusy } from 'sak-reconcile/playbooks/t3-small-busy'
import t from 'tap'
import { z } from 'zod'
import { defineModule } from '../../src/core/module.ts'
import { inputSchema, outputSchema, paramsReference, referenceOf } from '../../src/core/reference.ts'
import { Report } from '../../src/core/report.ts'
import { Duration } from '../../src/core/units.ts'
import { reconcile } from '../../src/run.ts'

const all = Object.values(modules)
const playbooks = [t3Small, t3SmallBusy, t3Medium].map(playbook => playbook())

t.test('every param of every module and playbook says what it is', async t => {
  const subjects = [...all.map(module => ({ name: module.moduleName, params: module.params })), ...playbooks]
  for (const { name, params } of subjects) {
    const silent = paramsReference(params).filter(({ description = '' }) => description.trim() === '')
    t.same(
      silent.map(({ path }) => path),
      [],
      `${name}: give each of these a .describe('...') in its zod schema, last in the chain`,
    )
  }
})

t.test('every module has an example, and says what each of its keys holds', async t => {
  for (const module of all) {
    const name = module.moduleName
    t.ok(module.example, `${name}: give defineModule an \`example\`: params of a usual use`)
    const { keys, owns } = referenceOf(module)
    t.ok(keys.length > 0, `${name}: give defineModule \`keys\`: what saved, running and boot hold, in a few words`)
    t.ok(owns.length > 0, `${name}: the task of the example owns something`)
  }
})

t.test('params as a reader sees them', async t => {
  const params = z.strictObject({
    size: Size.default('2G').describe('How big'),
    times: z.union([z.int().min(0).max(9), Duration.transform(durationMs)]).optional(),
    mode: z.enum(['a', 'b']),
    sites: z.record(z.string(), z.strictObject({ listen: z.array(z.union([z.int(), z.string()])).default([80]) })),
    kernel: z
      .record(z.string(), z.number())
      .prefault({})
      .transform(given => ({ swap: 1, ...given })),
    app: z
      .strictObject({ port: z.int().min(1).optional() })
      .prefault({})
      .transform(given => ({ port: 5000, ...given })),
  })
  t.strictSame(paramsReference(params), [
    { path: 'size', type: 'size', required: false, default: '2G', description: 'How big' },
    { path: 'times', type: 'integer 0 to 9 | duration', required: false },
    { path: 'mode', type: "'a' | 'b'", required: true },
    { path: 'sites', type: '{ NAME: object }', required: true },
    { path: 'sites.*.listen', type: '(integer | string)[]', required: false, default: [80] },
    { path: 'kernel', type: '{ NAME: number }', required: false, default: { swap: 1 } },
    { path: 'app', type: 'object', required: false },
    { path: 'app.port', type: 'integer 1 or more', required: false, default: 5000 },
  ])
})

t.test('a module of somebody else', async t => {
  const motd = defineModule({
    name: 'motd',
    description: 'Keeps the message of the day.',
    params: z.strictObject({ text: z.string().describe('What it says') }),
    impact: 'none',
    owns: () => ['/etc/motd'],
    check: async () => ({ current: { saved: 'a' }, desired: { saved: 'b' } }),
    apply: () => [],
  })
  t.match(referenceOf(motd), { name: 'motd', params: [{ path: 'text' }], keys: [], owns: [], impact: 'none' })
})

t.test('the JSON Schemas take what the modules take', async t => {
  for (const module of all) {
    const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(inputSchema(module.params))))
    const folder = new URL(`../../fixtures/${module.moduleName}/`, import.meta.url)
    const cases = await readdir(folder).catch(() => [])
    for (const name of cases) {
      const { params } = JSON.parse(await readFile(new URL(`${name}/case.json`, folder), 'utf8'))
      t.equal(schema.safeParse(params).error, undefined, `${module.moduleName} ${name}`)
    }
    t.equal(schema.safeParse(module.example).error, undefined, module.moduleName)
    t.not(schema.safeParse({ nonsense: 1 }).error, undefined, `${module.moduleName}: a param that is none`)
  }
})

t.test('the JSON Schema of the report takes a report', async t => {
  const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(outputSchema(Report))))
  const report = await reconcile({ playbook: t3Small(), dryRun: true, tags: ['memory'] })
  t.equal(schema.safeParse(JSON.parse(JSON.stringify(report))).error, undefined)
  t.not(schema.safeParse({ ...report, mode: 'x' }).error, undefined)
})
