import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { file } from '../../modules/file/module.ts'
import { isSakError } from '../../src/index.ts'
import { brokenLaws, type FakeHostState, fakeHost, runCases } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/file', import.meta.url)), file)
  t.ok(cases.length >= 28)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

const message = (params: unknown) => {
  try {
    file.parse(params)
  } catch (error) {
    if (isSakError(error) && error.code === 'invalid-params') return error.message
    throw error
  }
  return undefined
}

t.test('params', async t => {
  const path = '/etc/motd'
  t.equal(message({ path, content: '' }), undefined)
  for (const params of [{ path }, { path, content: '', absent: true }, { path, content: 'x', linkTo: '/y' }]) {
    t.match(message(params), /expected one of content, source, linkTo and absent/)
  }
  t.match(message({ path, content: { base64: '*' } }), /base64/)
  t.match(message({ path, content: 'x', validate: ['visudo', '-cf'] }), /validate: expected an argv with "{}"/)
  t.match(
    message({ path, source: 'a.txt' }),
    /source: expected an absolute path or new URL\('.\/a.txt', import.meta.url\)/,
  )
})

t.test('a source is read when the playbook loads', async t => {
  const folder = t.testdir({ motd: 'hello', directory: {} })
  const at = (name: string) => join(folder, name)
  t.match(message({ path: '/etc/motd', source: at('nothing') }), /source: there is no file .*nothing on this machine/)
  t.match(message({ path: '/etc/motd', source: at('directory') }), /is not a file/)
  await writeFile(at('large'), Buffer.alloc(8 * 1024 * 1024 + 1))
  t.match(message({ path: '/etc/motd', source: at('large') }), /larger than 8 MiB/)
  const url = pathToFileURL(at('motd'))
  for (const source of [url, url.href, at('motd')]) {
    const { desired } = await file({ path: '/etc/motd', source }).assess(host({}))
    t.match(desired, { saved: { content: 'hello', mode: '0644', owner: 'root', group: 'root' } })
  }
})

const host = (files: NonNullable<FakeHostState['files']>) =>
  fakeHost({ files: { '/etc': { type: 'directory', mode: '0755' }, ...files } })

t.test('what not everybody may read is not shown', async t => {
  const isHidden = async (params: object, before?: string) => {
    const files = before === undefined ? {} : { '/etc/x': { content: 'old', mode: before } }
    const { desired } = await file({ path: '/etc/x', content: 'new', ...params }).assess(host(files))
    return JSON.stringify(desired).includes('"hidden":true')
  }
  t.equal(await isHidden({ mode: '0640' }), true)
  t.equal(await isHidden({}, '0600'), true, 'it was closed before')
  t.equal(await isHidden({}, '0644'), false)
  t.equal(await isHidden({ mode: '0600', diff: 'show' }, '0600'), false)
  t.equal(await isHidden({ diff: 'hide' }, '0644'), true)
})

t.test('an owner that an earlier task makes is found in the planned file', async t => {
  const files = { '/etc/passwd': 'app:x:1:1::/:/bin/sh\n', '/etc/group': 'app:x:1:\n' }
  const { blocked } = await file({ path: '/etc/x', content: 'x', owner: 'app' }).assess(host(files))
  t.same(blocked, [])
})

t.test('the laws hold for any bytes and attributes', async t => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map(all => ({ base64: Buffer.from(all).toString('base64') }))
  const content = fc.oneof(fc.string({ unit: 'binary' }), bytes)
  const before = fc.option(fc.record({ content: fc.string(), mode: fc.constantFrom('0644', '0600', '4755') }))
  await fc.assert(
    fc.asyncProperty(content, before, fc.constantFrom('follow', 'replace'), async (content, before, links) => {
      const files = { '/etc': { type: 'directory', mode: '0755' } as const, ...(before && { '/etc/x': before }) }
      return (await brokenLaws(file({ path: '/etc/x', content, links }), { files })).length === 0
    }),
  )
  t.pass()
})
