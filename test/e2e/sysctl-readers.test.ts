import fc from 'fast-check'
import { sysctl } from 'sak-reconcile/modules'
import t from 'tap'
import { fakeHost } from '../../src/testing.ts'
import { startHost } from './harness.ts'
import { keys, type Outcome, readersScript, type Tree, tree, treeOf } from './sysctl-readers.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const path = '/etc/sysctl.d/60-sak.conf'

t.test('our order of files is that of systemd and procps, and mended files give us the last word', async t => {
  const ours = Object.fromEntries(Object.keys(keys).map(key => [key, '1 2']))
  const trees = fc.sample(tree, 40)
  const judged = await Promise.all(
    trees.map(async each => {
      const { steps, changes } = await sysctl({ settings: ours, overrides: 'remove' }).assess(fakeHost(treeOf(each)))
      const files = Object.fromEntries(
        steps.flatMap(step => (step.kind === 'write' ? [[step.path, step.content]] : [])),
      )
      const { [path]: saved = '', ...mended } = files
      return {
        before: { ...each, [path]: saved },
        after: { ...each, [path]: saved, ...mended },
        found: changes.some(({ key }) => key === 'boot'),
      }
    }),
  )
  const outcomes = await realOutcomes(judged.flatMap(({ before, after }) => [before, after]))
  const isOurs = (outcome: Outcome | undefined) => Object.values(outcome ?? {}).every(value => value === '1 2')
  judged.forEach(({ before, found }, index) => {
    t.equal(isOurs(outcomes[index * 2]), !found, `found what wins in ${JSON.stringify(before)}`)
    t.ok(isOurs(outcomes[index * 2 + 1]), 'mended')
  })
})

async function realOutcomes(trees: readonly Tree[]): Promise<Outcome[]> {
  const said = await host.output('sh -s', { root: true, stdin: readersScript(trees), timeoutMs: 400_000 })
  return said.split('\n').map(line => JSON.parse(line))
}
