import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as modules from 'sak-reconcile/modules'
import t from 'tap'
import { SakError } from '../../src/core/errors.ts'
import type { Answer, Host, Read } from '../../src/core/host.ts'
import { recordTask } from '../../src/engine/record.ts'
import { Case } from '../../src/testing/cases.ts'
import { recordCase } from '../../src/testing/record-case.ts'
import { recordedHost } from '../../src/testing/recorded-host.ts'
import { fakeHost } from '../../src/testing.ts'

const asking =
  (host: Host) =>
  async (read: Read): Promise<Answer> => {
    if (read.kind === 'file') return { kind: 'file', file: await host.file(read.path) }
    if (read.kind === 'files') return { kind: 'files', files: await host.files(read.globs) }
    if (read.kind === 'link') return { kind: 'link', target: await host.link(read.path) }
    if (read.kind === 'stat') return { kind: 'stat', stat: await host.stat(read.path) }
    return { kind: 'command', result: await host.command(read.argv, read.options) }
  }

t.test('what is recorded of a host gives what the host gave', async t => {
  for (const module of Object.values(modules)) {
    const folder = fileURLToPath(new URL(`../../fixtures/${module.moduleName}`, import.meta.url))
    for (const name of await readdir(folder).catch(() => [])) {
      const { params, host, expect } = Case.parse(JSON.parse(await readFile(`${folder}/${name}/case.json`, 'utf8')))
      // a fake host says otherwise than a real one which files a glob may not read
      if ((host.denied ?? []).length > 0) continue
      const recording = await recordTask(module.parse(params), asking(fakeHost(host)))
      const made = await recordCase(recording, 'by hand')
      t.ok(made.isFaithful, `${module.moduleName} ${name}`)
      t.same([...made.case.expect.changes].sort(), [...expect.changes].sort(), `${module.moduleName} ${name}`)
      t.equal(Case.safeParse(JSON.parse(JSON.stringify(made.case))).error, undefined)
    }
  }
})

t.test('what may not be read', async t => {
  const closed = new SakError('needs-root', 'only root may read /etc/a.d/x')
  const state = recordedHost([
    { read: { kind: 'files', globs: ['/etc/a.d/*'] }, answer: closed },
    { read: { kind: 'file', path: '/etc/b' }, answer: new SakError('needs-root', 'only root may read /etc/b') },
    { read: { kind: 'command', argv: ['id'], options: { as: 'app' } }, answer: new SakError('needs-root', 'x') },
  ])
  const host = fakeHost(state)
  await t.rejects(host.files(['/etc/a.d/*']), { code: 'needs-root' })
  await t.rejects(host.file('/etc/b'), { code: 'needs-root' })
  await t.rejects(host.command(['id'], { as: 'app' }), { code: 'needs-root' })
  t.throws(
    () => recordedHost([{ read: { kind: 'file', path: '/a' }, answer: new SakError('read-failed', 'I/O error') }]),
    { code: 'unsupported', message: /I\/O error/ },
  )
})

t.test('two calls of a program are told apart by what they are given', async t => {
  const call = (stdin: string, stdout: string) =>
    ({
      read: { kind: 'command', argv: ['sh', '-s'], options: { stdin } },
      answer: { kind: 'command', result: { code: 0, stdout, stderr: '' } },
    }) as const
  const host = fakeHost(recordedHost([call('a', '1'), call('b', '2')]))
  t.match(await host.command(['sh', '-s'], { stdin: 'b' }), { stdout: '2' })
  t.equal(recordedHost([call('a', '1')]).commands?.[0]?.stdin, undefined)
})
