import t from 'tap'
import { level, placeOf, readConfig } from '../../../modules/nginxconf/config.ts'
import { globDirectory, globMatches } from '../../../modules/nginxconf/glob.ts'
import { isSakError } from '../../../src/index.ts'
import { fakeHost } from '../../../src/testing.ts'

const ours = '/etc/nginx/conf.d/60-sak.conf'
const read = (files: Record<string, string>, denied: string[] = []) => readConfig(fakeHost({ files, denied }), ours)

t.test('includes are followed, relative to /etc/nginx, into any block', async t => {
  const { top, files, directories } = await read({
    '/etc/nginx/nginx.conf':
      'user x;\nhttp {\n include conf.d/*.conf;\n include "/srv/a b.conf";\n}\ninclude none/*.conf;',
    '/etc/nginx/conf.d/a.conf': 'server {\n include inner;\n}',
    '/etc/nginx/conf.d/.hidden.conf': 'not read',
    '/etc/nginx/conf.d/60-sak.conf': 'ours } is not parsed',
    '/etc/nginx/inner': 'listen 81;',
    '/srv/a b.conf': 'gzip on;',
    '/etc/nginx/sites-enabled/unused': 'not included {',
  })
  const http = [...level(top)].find(node => node.name === 'http')
  const inHttp = [...level(http?.children ?? [])]
  t.same(
    inHttp.map(node => [node.name, placeOf(node), node.parent?.name]),
    [
      ['include', '/etc/nginx/nginx.conf:3', 'http'],
      ['server', '/etc/nginx/conf.d/a.conf:1', 'http'],
      ['include', '/etc/nginx/nginx.conf:4', 'http'],
      ['gzip', '/srv/a b.conf:1', 'http'],
    ],
  )
  const server = inHttp.find(node => node.name === 'server')
  t.same(
    [...level(server?.children ?? [])].map(node => [node.name, node.parent?.name, node.include?.args]),
    [
      ['include', 'server', undefined],
      ['listen', 'server', ['inner']],
    ],
  )
  t.same(files.map(file => file.path).sort(), [
    '/etc/nginx/conf.d/60-sak.conf',
    '/etc/nginx/conf.d/a.conf',
    '/etc/nginx/inner',
    '/etc/nginx/nginx.conf',
    '/srv/a b.conf',
  ])
  t.same([...directories.keys()].sort(), ['/etc/nginx/conf.d', '/etc/nginx/none'])
})

t.test('what nginx could not load is said with its place', async t => {
  const message = async (files: Record<string, string>) => {
    try {
      await read(files)
    } catch (error) {
      if (isSakError(error)) return `${error.code}: ${error.message}`
      throw error
    }
    return undefined
  }
  t.match(await message({}), /^refused: there is no \/etc\/nginx\/nginx.conf/)
  t.match(
    await message({ '/etc/nginx/nginx.conf': 'http {\n' }),
    /before any change of ours: \/etc\/nginx\/nginx.conf:2: /,
  )
  t.match(
    await message({ '/etc/nginx/nginx.conf': 'a;\ninclude x.conf;' }),
    /nginx.conf:2: includes \/etc\/nginx\/x.conf/,
  )
  t.equal(await message({ '/etc/nginx/nginx.conf': `include ${ours};` }), undefined, 'our file comes yet')
  t.match(await message({ '/etc/nginx/nginx.conf': 'include nginx.conf;' }), /included in itself/)
})

t.test('a file that may not be read matters only if nginx loads it', async t => {
  const main = { '/etc/nginx/nginx.conf': 'include conf.d/*.conf;' }
  const { files } = await read({ ...main, '/etc/nginx/snippets/key.conf': 'x' }, ['/etc/nginx/snippets/key.conf'])
  t.equal(files.length, 1)
  await t.rejects(read({ ...main, '/etc/nginx/conf.d/key.conf': 'x' }, ['/etc/nginx/conf.d/key.conf']), {
    code: 'needs-root',
  })
})

t.test('patterns match as glob(3) does', async t => {
  const cases: [string, string, boolean][] = [
    ['/a/*.conf', '/a/b.conf', true],
    ['/a/*.conf', '/a/.b.conf', false],
    ['/a/*.conf', '/a/b/c.conf', false],
    ['/a/**/c.conf', '/a/b/d/c.conf', false],
    ['/a/*/c.conf', '/a/b/c.conf', true],
    ['/a/*', '/a/x.dpkg-new', true],
    ['/a/[0-9]?-x', '/a/60-x', true],
    ['/a/[!0-9]?-x', '/a/60-x', false],
    ['/a/{b,c}*', '/a/b', false],
    ['/a/b', '/a/b', true],
    ['/a/+(b)*', '/a/bb', false],
  ]
  for (const [pattern, path, expected] of cases) t.equal(globMatches(pattern, path), expected, `${pattern} ${path}`)
  t.equal(globDirectory('/a/b/*.conf'), '/a/b')
  t.equal(globDirectory('/a/*/b/*.conf'), '/a')
  t.equal(globDirectory('/*'), '/')
})
