import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { mountsBelow } from '../../modules/directory/contents.ts'
import { directory } from '../../modules/directory/module.ts'
import { isSakError } from '../../src/index.ts'
import { brokenLaws, type FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/directory', import.meta.url)), directory)
  t.ok(cases.length >= 18)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      directory.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.equal(message({ path: '/srv/app/' }), undefined)
  t.match(message({ path: '/srv/app', recurse: true }), /recurse: goes with absent/)
  for (const path of ['/', '/srv', '/etc/', '//var//']) {
    t.match(message({ path, absent: true, recurse: true }), /below the top level/, path)
  }
  t.match(message({ path: '/srv/../etc/x', absent: true }), /without "." or ".."/)
  t.match(message({ path: 'srv' }), /absolute path/)
  t.match(message({ path: '/srv/app', mode: '0999' }), /octal/)
})

t.test('its impact is that of its params', async t => {
  t.equal(directory({ path: '/srv/app' }).impact, 'none')
  t.equal(directory({ path: '/srv/app', absent: true }).impact, 'none')
  t.equal(directory({ path: '/srv/app', absent: true, recurse: true }).impact, 'data')
})

const dir = (mode: string, owner = 'root') => ({ type: 'directory', mode, owner, group: owner }) as const

t.test('parents are made as the directory that holds them, topmost first', async t => {
  const host: FakeHostState = { files: { '/': dir('0755'), '/home': dir('0755'), '/home/app': dir('0750', 'app') } }
  const task = directory({ path: '/home/app/a/b/c', parents: true })
  const { steps } = await task.assess(fakeHost(host))
  t.match(steps, [
    { path: '/home/app/a', mode: '0755', owner: 'app', group: 'app' },
    { path: '/home/app/a/b', mode: '0755', owner: 'app', group: 'app' },
    { path: '/home/app/a/b/c', mode: '0755', owner: 'root', group: 'root' },
  ])
  t.same(await brokenLaws(task, host), [])
})

t.test('names of mount points are read as the kernel writes them', async t => {
  const mounts = 'a /srv/x\\040y ext4 rw 0 0\nb /srv/xy ext4 rw 0 0\n\nbroken\n'
  const host = fakeHost({ files: { '/proc/self/mounts': mounts } })
  t.same(await mountsBelow(host, '/srv/x y'), ['/srv/x y'])
  t.same(await mountsBelow(host, '/srv'), ['/srv/x y', '/srv/xy'])
  t.same(await mountsBelow(host, '/srv/x'), [])
})

t.test('the laws hold for any directory as it may be', async t => {
  const mode = fc.constantFrom('0755', '2750', '0000', '1777')
  const owner = fc.constantFrom('root', 'app')
  const accounts = { '/etc/passwd': 'app:x:1:1::/:/bin/sh\n', '/etc/group': 'app:x:1:\n' }
  await fc.assert(
    fc.asyncProperty(mode, mode, owner, owner, fc.boolean(), async (is, wanted, was, willBe, isThere) => {
      const files = { '/srv': dir('0755'), ...accounts, ...(isThere && { '/srv/app': dir(is, was) }) }
      return (await brokenLaws(directory({ path: '/srv/app', mode: wanted, owner: willBe }), { files })).length === 0
    }),
  )
  t.pass()
})
