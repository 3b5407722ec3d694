import { readdirSync } from 'node:fs'
import t from 'tap'
import { Report } from '../../src/core/report.ts'
import { commandLine, sak } from './sak.ts'

const source = `
import { defineModule, definePlaybook, tasks, write } from 'sak-reconcile'
import { z } from 'zod'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({ path: z.string(), MiB: z.number().default(0) }),
  impact: 'none',
  owns: ({ path }) => [path],
  footprint: ({ MiB }) => MiB > 0 ? { MiB, what: 'as told' } : undefined,
  check: async (host, { path }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: { kind: 'file', path, content: 'x' } },
  }),
  apply: ({ saved }) => [saved && write(saved.after)],
})

export default definePlaybook({
  name: 'notes',
  params: z.strictObject({ folder: z.string(), extra: z.boolean().default(false) }),
  tasks: ({ folder, extra }) => [
    note({ path: folder + '/a', MiB: 1 }, { label: 'small', when: ({ facts }) => facts.ramMiB < 100_000_000 }),
    note({ path: folder + '/a', MiB: 100_000_000 }, { label: 'large', when: ({ facts }) => facts.ramMiB >= 100_000_000 }),
    tasks([note({ path: folder + '/b' }), note({ path: folder + '/c' }, { label: 'c' })], { label: 'extra', when: extra }),
  ],
})
`

t.test('what is not wanted is skipped with the reason, costs no trip, no memory, and no exit code', async t => {
  const { cwd, run } = await commandLine(t, { 'notes.ts': source })
  const base = ['./notes.ts', '-i', 'localhost,', '-e', `folder=${cwd}`]
  const planned = await run(...base, '-n')
  t.equal(planned.code, 2)
  t.match(planned.stdout, /localhost {2}drift {2}1 round trip,/)
  t.match(planned.stdout, /- skipped {2}large +when .*facts.ramMiB ?>= ?\w+ \(ramMiB is \d+\)/)
  t.match(planned.stdout, /- skipped {2}extra\/note +when false/)
  t.match(planned.stdout, /memory {2}351 of/)
  t.match(await sak([...base, '-y'], { cwd }), { code: 0, stdout: /✓ changed {2}small/ })
  t.same(readdirSync(cwd).sort(), ['a', 'notes.ts'])
  const { code, stdout } = await run(...base, '-n', '--json', '-t', 'small,large')
  t.equal(code, 0)
  const report = Report.parse(JSON.parse(stdout))
  t.match(report, { summary: { hosts: { ok: 1 }, tasks: { ok: 1, skipped: 1 } }, hosts: [{ status: 'ok' }] })
  t.match(await run(...base, '-n', '-e', 'extra=true'), { code: 2, stdout: /~ drift +extra\/c/ })
  t.notMatch((await run(...base, '-n', '-q')).stdout, /skipped {2}/)
})
