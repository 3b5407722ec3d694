/** `sak-reconcile record` on a real host: cases that give what the host gave, without its secrets, and nothing changed there. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as modules from 'sak-reconcile/modules'
import t from 'tap'
import { runCases } from '../../src/testing.ts'
import { commandLine } from '../cli/sak.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

t.test('cases of a whole playbook', async t => {
  const { cwd, run } = await commandLine(t, { 'hosts.json': JSON.stringify(inventoryOf([host])) })
  await writeFile(join(cwd, 'ssh_config'), '')
  await host.exec(
    'cd /var/www/sak-whatsapp-api; DB_PASSWORD=correct-horse-7 pm2 restart sak-whatsapp-api --update-env; sleep 2',
    { as: 'ubuntu' },
  )
  await host.exec('touch /tmp/mark; sleep 1.1', { root: true })
  const ran = await run('record', 't3-small', '-i', 'hosts.json', '--host-key-checking', 'off')
  t.match(ran, { code: 0 }, ran.stdout + ran.stderr)
  t.notMatch(ran.stdout, /NOT what the host gave/)
  t.equal(
    await host.output(
      'find /etc /home /root /var/www /var/lib/postgresql /usr/local -newer /tmp/mark -type f ! -name "*.log" ! -path "*/main/*"',
      { root: true },
    ),
    '',
    'the host is as it was',
  )

  const lines = ran.stdout.trim().split('\n')
  t.equal(lines.length, 7)
  for (const module of Object.values(modules)) {
    if (!ran.stdout.includes(`fixtures/${module.moduleName}/`)) continue
    const cases = await runCases(join(cwd, 'fixtures', module.moduleName), module)
    t.equal(cases.length, 1, module.moduleName)
    for (const { expected, found, left } of cases) {
      t.same(found, expected, module.moduleName)
      t.same(left, [], module.moduleName)
    }
  }
  const pm2 = await readFile(join(cwd, `fixtures/pm2eco/${host.name}/case.json`), 'utf8')
  t.notMatch(pm2, /correct-horse-7/)
  t.match(pm2, /DB_PASSWORD\\":\\"masked-/)

  t.match(await run('record', 't3-small', '-i', 'hosts.json', '--host-key-checking', 'off'), {
    code: 4,
    stdout: /exists: it is left as it is/,
  })
})

t.test('one module, as a user who may not see everything', async t => {
  const { become: _, ...login } = inventoryOf([host]).hosts[host.name] ?? { become: true }
  const { cwd, run } = await commandLine(t, { 'hosts.json': JSON.stringify({ hosts: { [host.name]: login } }) })
  const ran = await run(
    'record',
    'sysctl',
    '-e',
    'settings={"vm.swappiness":60}',
    '-i',
    'hosts.json',
    '--case',
    'plain',
    '--host-key-checking',
    'off',
  )
  t.match(ran, { code: 0, stdout: /^fixtures\/sysctl\/plain\/case.json: saved$/m }, ran.stderr)
  t.match(JSON.parse(await readFile(join(cwd, 'fixtures/sysctl/plain/case.json'), 'utf8')), {
    origin: /^recorded on \d{4}-\d\d-\d\d by sak-reconcile [\d.]+: debian 12 x86_64$/,
    params: { settings: { 'vm.swappiness': 60 } },
  })
})

t.test('a playbook of what the host has, with which a team starts from zero drift', async t => {
  const { cwd, run } = await commandLine(t, { 'hosts.json': JSON.stringify(inventoryOf([host])) })
  const login = ['-i', 'hosts.json', '--host-key-checking', 'off']
  const adopted = async (file: string) => {
    const ran = await run('record', '--playbook', ...login, '-o', file)
    t.match(ran, { code: 0 }, ran.stdout + ran.stderr)
    const dry = await run(`./${file}`, '--dry-run', ...login)
    t.match(dry, { code: 0 }, `${dry.stdout}${dry.stderr}`)
    return readFile(join(cwd, file), 'utf8')
  }

  const stock = await adopted('stock.ts')
  t.match(stock, /^ {4}nginxconf\(\{\n {6}http: \{/m, 'what its nginx.conf has')
  t.match(stock, /^ {4}\/\/ pm2eco\(/m, 'an app without an ecosystem file is shown, and not kept')
  t.notMatch(stock, /correct-horse-7/)

  await host.exec('pm2 delete all; pm2 save --force', { as: 'ubuntu' })
  const applied = await run('t3-small', ...login, '--yes', '--tags', 'nginx,app', '--allow-over-budget')
  t.match(applied, { code: 0 }, applied.stdout + applied.stderr)
  const ruled = await adopted('ruled.ts')
  t.match(ruled, /^ {4}nginxconf\(\{[\s\S]*upstreams: /m)
  t.match(ruled, /^ {4}pm2eco\(\{[\s\S]*max_memory_restart: '850M'/m)
})
