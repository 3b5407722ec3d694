import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { nginxconf } from '../../modules/nginxconf/module.ts'
import { parseConfig } from '../../modules/nginxconf/parse.ts'
import { isFile } from '../../src/core/file.ts'
import { isSakError } from '../../src/index.ts'
import { type FakeHostState, fakeHost, runCases, withFileSteps } from '../../src/testing.ts'

t.test('cases', async t => {
  const cases = await runCases(fileURLToPath(new URL('../../fixtures/nginxconf', import.meta.url)), nginxconf)
  t.ok(cases.length >= 28)
  for (const { name, expected, found, left } of cases) {
    // A script shows its name first; its arguments are files that vary.
    const steps = found.steps.map(step => step.replace(/sh -s (\S+).*/, '$1'))
    t.same({ ...found, steps }, expected, name)
    t.same(left, [], `${name}: nothing is left to save`)
  }
})

const main = 'http {\n  include /etc/nginx/conf.d/*.conf;\n}\n'
const build =
  'nginx version: nginx/1.22.1\nconfigure arguments: --with-http_ssl_module --with-http_geoip_module=dynamic\n'
const observed =
  'now=1000.5\nself=100050\nMainPID=7\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nworker 8 50000\n'

/** A host whose worker started in second 500. */
const hostWith = (files: FakeHostState['files'], nginx = main): FakeHostState => ({
  files: { '/etc/nginx/nginx.conf': nginx, ...files },
  commands: [
    { argv: ['nginx', '-V'], stderr: build },
    { argv: ['sh', '-s', 'observe-nginx'], stdout: observed },
  ],
})

/** The files as a task leaves them, and what it says. */
async function converge(params: unknown, host: FakeHostState) {
  const assessment = await nginxconf.parse(params).assess(fakeHost(host))
  const files: Record<string, string | null> = {}
  const saved = assessment.changes.find(change => change.key === 'saved')?.after
  for (const file of Array.isArray(saved) ? saved : []) if (isFile(file)) files[file.path] = file.content
  const messages = assessment.blocked.map(error => error.message)
  const again = await nginxconf.parse(params).assess(fakeHost(withFileSteps(host, assessment.steps)))
  return { files, messages, codes: assessment.blocked.map(error => error.code), assessment, again }
}

const ours = '/etc/nginx/conf.d/60-sak.conf'
const site = '/etc/nginx/conf.d/50-site.conf'
const backend = { upstreams: { backend: { servers: ['localhost:5000'], keepalive: 32 } } }

t.test('what stands elsewhere with the wanted meaning is not repeated', async t => {
  const nginx = main.replace(
    '\n',
    '\n gzip "on"; keepalive_timeout 65s; client_max_body_size 10240k; gzip_types a/b text/css;\n',
  )
  const http = {
    gzip: true,
    keepalive_timeout: 65,
    client_max_body_size: '10M',
    gzip_types: 'text/css c/d',
    tcp_nodelay: true,
  }
  const { files, messages } = await converge({ http }, hostWith({}, nginx))
  t.same(messages, [])
  t.match(files[ours], /^[^\n]*\n\ngzip_types c\/d;\ntcp_nodelay on;\n$/)
})

t.test('directives that may repeat: only the same one is not repeated', async t => {
  const nginx = main.replace('\n', '\n add_header X-A 1; log_format main x; proxy_set_header X-B 1;\n')
  const http = { add_header: ['X-A 1', 'X-A 2'], log_format: ["main '$x'", 'other y'], proxy_set_header: 'x-b 2' }
  const { files, messages } = await converge({ http, overrides: 'remove' }, hostWith({}, nginx))
  t.same(messages, [])
  t.match(files[ours], /\n\nadd_header X-A 2;\nlog_format other y;\n$/)
  t.match(files['/etc/nginx/nginx.conf'], /add_header X-A 1; log_format main '\$x'; proxy_set_header x-b 2;/)
})

t.test('nothing of ours is left to say: no file', async t => {
  const nginx = main.replace('\n', '\n gzip on;\n')
  const { files, again } = await converge({ http: { gzip: true } }, hostWith({ [ours]: 'gzip on;' }, nginx))
  t.same(files, { [ours]: null })
  t.same(
    again.changes.filter(change => change.key === 'saved'),
    [],
  )
})

t.test('a directive that stands twice already is nobody else to blame for', async t => {
  const { codes, messages } = await converge({ http: { gzip: true } }, hostWith({ [site]: 'gzip off;\ngzip on;' }))
  t.ok(codes.includes('refused'))
  t.match(messages.join(), /gzip stands twice, before any change of ours: \S+50-site.conf:1 and \S+50-site.conf:2/)
})

t.test('our file must be included once, by http', async t => {
  const http = { gzip: true }
  const within = (nginx: string) => converge({ http, overrides: 'remove' }, hostWith({}, nginx))
  t.same((await within('http {\n}\n')).files['/etc/nginx/nginx.conf'], `http {\n    include ${ours};\n}\n`)
  await t.rejects(within(`http { include conf.d/*.conf; include ${ours}; }`), { code: 'refused', message: /twice/ })
  await t.rejects(within('http { }\nstream { include conf.d/*.conf; }'), {
    code: 'refused',
    message: /outside of http/,
  })
  await t.rejects(within('events { }'), { code: 'refused', message: /no http block/ })
  const report = await converge({ http }, hostWith({}, 'http {\n}\n'))
  t.same(report.messages, [`/etc/nginx/nginx.conf:1: http does not include ${ours}`])
})

/** Each: what stands in a foreign file, and what is made of it (undefined: left alone). */
const proxies: Record<string, [string, string | undefined]> = {
  'no headers of its own': ['server { location / { proxy_pass http://backend; } }', undefined],
  'own headers': [
    'server { location / { proxy_set_header Host $host; proxy_pass http://backend/api; } }',
    'server { location / { proxy_set_header Host $host; proxy_set_header Connection ""; proxy_pass http://backend/api; } }',
  ],
  'headers of the server': [
    'server { proxy_set_header Host $host; location / { proxy_pass http://BACKEND; } }',
    'server { proxy_set_header Connection ""; proxy_set_header Host $host; location / { proxy_pass http://BACKEND; } }',
  ],
  'the nearest block with headers counts': [
    "server { proxy_set_header Host $host; location / { proxy_set_header connection ''; proxy_pass http://backend; } }",
    undefined,
  ],
  'a nested location inherits': [
    'server { location / { proxy_set_header A b; location /x { proxy_pass https://backend; } } }',
    'server { location / { proxy_set_header Connection ""; proxy_set_header A b; location /x { proxy_pass https://backend; } } }',
  ],
  'Connection close': [
    'server { location / { proxy_set_header Connection close; proxy_pass http://backend; } }',
    'server { location / { proxy_set_header Connection ""; proxy_pass http://backend; } }',
  ],
  WebSocket: ['server { location / { proxy_set_header Connection "upgrade"; proxy_pass http://backend; } }', undefined],
  'HTTP/1.0': [
    'server { proxy_http_version 1.0; location / { proxy_pass http://backend; } }',
    'server { proxy_http_version 1.1; location / { proxy_pass http://backend; } }',
  ],
  'headers of http, where ours stands too': [
    'proxy_set_header Host $host; server { location / { proxy_pass http://backend; } }',
    undefined,
  ],
  'another upstream': ['server { location / { proxy_set_header A b; proxy_pass http://backend2; } }', undefined],
  'a port makes it a host': [
    'server { location / { proxy_set_header A b; proxy_pass http://backend:80; } }',
    undefined,
  ],
  'a variable cannot be known': [
    'server { location / { proxy_set_header A b; proxy_pass http://$backend; } }',
    undefined,
  ],
  'in an if': [
    'server { location / { if ($a) { proxy_set_header A b; proxy_pass http://backend; } } }',
    'server { location / { if ($a) { proxy_set_header A b; proxy_set_header Connection ""; proxy_pass http://backend; } } }',
  ],
}

t.test('locations that proxy to an upstream with keepalive', async t => {
  for (const [name, [text, wanted]] of Object.entries(proxies)) {
    const removed = await converge({ ...backend, overrides: 'remove' }, hostWith({ [site]: text }))
    t.equal(removed.files[site], wanted, name)
    t.same(removed.messages, [], name)
    t.same(
      removed.again.changes.filter(change => change.key === 'saved'),
      [],
      `${name}: mended`,
    )
    const reported = await converge(backend, hostWith({ [site]: text }))
    t.same(reported.codes, wanted === undefined ? [] : ['override'], name)
    t.same(reported.assessment.steps.length > 0, wanted === undefined, name)
  }
})

t.test('a snippet that others include is not edited', async t => {
  const files = {
    [site]: 'server {\n  location / {\n    proxy_pass http://backend;\n    include snippets/p.conf;\n  }\n}\n',
    '/etc/nginx/snippets/p.conf': 'proxy_set_header Host $host;',
  }
  const { files: after } = await converge({ ...backend, overrides: 'remove' }, hostWith(files))
  t.same(Object.keys(after).sort(), [site, ours])
  t.match(after[site], '  location / {\n    proxy_set_header Connection "";\n    proxy_pass')
  const whole = {
    [site]: 'server {\n  include snippets/p.conf;\n  location / { proxy_pass http://backend; }\n}\n',
    '/etc/nginx/snippets/p.conf': 'proxy_set_header Host $host;',
  }
  const { files: server } = await converge({ ...backend, overrides: 'remove' }, hostWith(whole))
  t.match(server[site], 'server {\n  proxy_set_header Connection "";\n  include')
})

t.test('upstreams', async t => {
  const upstreams = { app: { servers: ['a:1', 'b:2 weight=3'], keepalive: 8, balance: 'least_conn' } }
  const alone = await converge({ upstreams }, hostWith({}))
  t.match(
    alone.files[ours],
    '\nupstream app {\n    least_conn;\n    server a:1;\n    server b:2 weight=3;\n    keepalive 8;\n}\n',
  )
  const mended: Record<string, string> = {
    'upstream app { }': 'upstream app { least_conn; server a:1; server b:2 weight=3; keepalive 8; }',
    'upstream APP { zone z 1m; server  b:2   weight=3; server c:3; }':
      'upstream APP { least_conn; zone z 1m; server  b:2   weight=3; server a:1; keepalive 8; }',
    'upstream app {\n  ip_hash;\n  server a:1;\n  server b:2 weight=3;\n  server c:1;\n  keepalive 9;\n}':
      'upstream app {\n  least_conn;\n  server a:1;\n  server b:2 weight=3;\n  keepalive 8;\n}',
  }
  for (const [text, wanted] of Object.entries(mended)) {
    const { files, again } = await converge({ upstreams, overrides: 'remove' }, hostWith({ [site]: text }))
    t.equal(files[site], wanted)
    t.notMatch(files[ours], /upstream/)
    t.same(
      again.changes.filter(change => change.key === 'saved'),
      [],
    )
  }
  const same =
    'upstream app { zone z 1m; keepalive_timeout 5s; server a:1; server b:2 weight=3; least_conn; keepalive 8; }'
  t.same((await converge({ upstreams }, hostWith({ [site]: same }))).messages, [])
})

t.test('what the params do not name of an upstream is left', async t => {
  const upstreams = { app: { servers: ['a:1'] } }
  const { messages } = await converge(
    { upstreams },
    hostWith({ [site]: 'upstream app { ip_hash; server a:1; keepalive 9; }' }),
  )
  t.same(messages, [])
})

t.test('before an apply, digests are taken of what is known to be loaded', async t => {
  const noted = async (files: FakeHostState['files']) => {
    const { assessment } = await converge({ http: { gzip: true } }, hostWith(files))
    const [first] = assessment.steps
    return first?.kind === 'run' ? first.argv.slice(4) : undefined
  }
  t.same(await noted({ [ours]: '' }), ['/etc/nginx/nginx.conf', ours])
  t.same(await noted({ [site]: { content: '', ctime: 600 } }), ['/etc/nginx/nginx.conf'], 'not of what changed since')
  const directory = { type: 'directory' as const, ctime: 600 }
  t.same(await noted({ '/etc/nginx/conf.d': directory }), [], 'nor where a file may be gone')
})

t.test('sites that are in the way', async t => {
  const conflicts = async (text: string, listen: unknown[] = [80]) => {
    const sites = { shop: { server_name: ['shop.example'], upstream: 'backend', listen } }
    return (await converge({ ...backend, sites, overrides: 'remove' }, hostWith({ [site]: text }))).messages
  }
  t.match(await conflicts('server { server_name a SHOP.example; }'), [/50-site.conf:1 answers to shop.example/])
  t.same(await conflicts('server { listen 81; server_name shop.example; }'), [])
  t.match(await conflicts('server { listen *:80; server_name shop.example; }', ['0.0.0.0:80']), [/answers to/])
  t.match(await conflicts('server { listen 10.0.0.1 default_server; }', ['10.0.0.1:80 default_server']), [/default/])
  t.same(await conflicts('server { listen 80 default_server; }'), [])
  const sites = { shop: { server_name: ['*.shop.example'], upstream: 'backend' } }
  const { assessment } = await converge({ ...backend, sites }, hostWith({}))
  t.match(
    assessment.steps.find(step => step.kind === 'run' && step.argv.includes('nginx-t')),
    {
      refuse: 'conflicting server name "(\\*\\.shop\\.example)"',
    },
  )
})

t.test('a module that is missing is named before anything is tried', async t => {
  const said = async (http: object, nginx?: string) => (await converge({ http }, hostWith({}, nginx))).messages
  t.match(await said({ set_real_ip_from: '10.0.0.0/8' }), [/needs --with-http_realip_module/])
  t.same(await said({ ssl_session_timeout: '1d' }), [])
  t.match(await said({ geoip_country: '/x' }), [/needs ngx_http_geoip_module/], 'built as dynamic is not loaded')
  const loaded = `load_module modules/ngx_http_geoip_module.so;\n${main}`
  t.same(await said({ geoip_country: '/x' }, loaded), [])
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      nginxconf.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  t.equal(message({}), undefined)
  t.equal(
    message({ http: { log_format: 'main \'{"a": "$request"}; # ok\'', gzip: false, sendfile_max_chunk: 0 } }),
    undefined,
  )
  for (const value of [
    '',
    ' ',
    'on; gzip off',
    'on;',
    '{',
    'a {',
    '}',
    '"a',
    "a'",
    'a # b',
    'a\nb',
    'a\\',
    '"a"b',
    'a }',
    1.5,
    -1,
    null,
  ]) {
    const said = message({ http: { gzip: value } })
    // Within a word nginx takes quotes and braces for themselves.
    if (value === "a'") t.equal(said, undefined)
    else t.match(said, /^nginxconf: http\.gzip: /, JSON.stringify(value))
  }
  t.match(message({ http: { server: 'x' } }), /http.*use `upstreams` or `sites`/)
  t.match(message({ http: { worker_processes: 2 } }), /not a directive of `http`/)
  t.match(message({ http: { 'gzip on; x': true } }), /name of an nginx directive/)
  t.match(message({ http: { gzip: ['on', 'off'] } }), /http.gzip: may stand only once/)
  t.match(message({ http: { add_header: ['A b', 'A b'] } }), /same value twice/)
  t.match(message({ ...backend, http: { proxy_http_version: '1.0' } }), /needs 1.1/)
  t.match(message({ ...backend, http: { proxy_set_header: ['A b', 'connection close'] } }), /needs `Connection ""`/)
  t.match(
    message({ sites: { a: { server_name: ['a'], upstream: 'b' } } }),
    /sites.a.upstream: there is no upstream "b"/,
  )
  t.match(message({ upstreams: { 'a b': { servers: ['x'] } } }), /expected a name/)
  t.match(message({ upstreams: { a: { servers: ['x; server y'] } } }), /upstreams.a.servers\[0\]/)
  t.match(message({ upstreams: { a: { servers: [] } } }), /upstreams.a.servers/)
  t.match(message({ ...backend, sites: { a: { server_name: ['a;b'], upstream: 'backend' } } }), /host name/)
  t.match(message({ path: '/etc/nginx/conf.d/*.conf' }), /path/)
  t.match(message({ gzip: true }), /gzip/)
})

t.test('no accepted value breaks out of its directive', async t => {
  const word = fc.constantFrom('a', ' ', ';', '{', '}', '"', "'", '\\', '$', '#', '${', 'on')
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 10 }).map(words => words.join('')),
      async value => {
        const params = { http: { gzip: value, tcp_nodelay: true } }
        const task = (() => {
          try {
            return nginxconf.parse(params)
          } catch {
            return undefined
          }
        })()
        if (!task) return
        const { files } = await converge(params, hostWith({}))
        const { directives, error } = parseConfig(files[ours] ?? '')
        const names = directives.map(directive => directive.name)
        if (error || names.join() !== 'gzip,tcp_nodelay') throw new Error(`${value} makes ${names.join()}`)
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('owns', async t => {
  const params = { http: { gzip: true, add_header: ['A b'] }, ...backend }
  t.same(nginxconf.parse(params).owns, [ours, 'nginx:http.gzip', 'nginx:http.add_header A b', 'nginx:upstream.backend'])
})
