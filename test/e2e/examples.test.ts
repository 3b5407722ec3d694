/** The projects of examples/, as a user has them: copied, installed with the packed package, tested, and run on real hosts. */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Report } from '../../src/core/report.ts'
import { inventoryOf, startHosts } from './harness.ts'
import { pack, root, run } from './packed.ts'

const { archive, folder, home, env } = await pack(t)

/** A copy of an example with everything installed, and a way to run something in it. */
async function install(t: Test, name: string) {
  const project = join(folder, name)
  await cp(join(root, 'examples', name), project, { recursive: true })
  const inProject = (...argv: string[]) => run(argv, project, env)
  const installed = await inProject('npm', 'install', archive)
  t.equal(installed.code, 0, installed.stderr)
  return { project, inProject }
}

t.test('a repository in TypeScript, with a module of its own', async t => {
  const { project, inProject } = await install(t, 'typescript')
  t.match(await inProject('npm', 'run', 'types'), { code: 0 })
  const tested = await inProject('npm', 'test')
  t.equal(tested.code, 0, tested.stdout)
  t.match(tested.stdout, /# pass [5-9]/)
  t.match(await inProject('npx', 'sak-reconcile', 'modules', './modules/motd.ts'), {
    code: 0,
    stdout: /motd\(\{ text: 'Managed by sak-reconcile' \}\)/,
  })

  const { hosts, stop } = await startHosts({ light: 2 })
  t.teardown(stop)
  await mkdir(join(home, '.ssh'))
  await writeFile(join(home, '.ssh/config'), `UserKnownHostsFile ${hosts[0]?.knownHostsPath}\n`)
  const { hosts: inventory } = inventoryOf(hosts)
  const groups = { web: { hosts: Object.keys(inventory) } }
  await writeFile(join(project, 'hosts.json'), JSON.stringify({ hosts: inventory, groups }))
  const sak = async (...args: string[]) => {
    const { code, stdout, stderr } = await inProject(
      'npx',
      'sak-reconcile',
      '-i',
      'hosts.json',
      '-t',
      'motd',
      '--json',
      ...args,
    )
    return { code, stderr, report: Report.parse(JSON.parse(stdout)) }
  }
  const statuses = ({ report }: { report: Report }) => report.hosts.map(({ status }) => status)
  const planned = await sak('--dry-run')
  t.same([planned.code, statuses(planned)], [2, ['drift', 'drift']], planned.stderr)
  const applied = await sak('--yes')
  t.same([applied.code, statuses(applied)], [0, ['changed', 'changed']], applied.stderr)
  t.same(statuses(await sak('--dry-run')), ['ok', 'ok'])
  for (const host of hosts) {
    t.equal(
      await host.output('cat /etc/motd'),
      `${host.name} belongs to the web team. Changes made by hand are undone.`,
    )
  }
})

t.test('the same in plain JavaScript', async t => {
  const { inProject } = await install(t, 'javascript')
  const tested = await inProject('npm', 'test')
  t.equal(tested.code, 0, tested.stdout)
  const { stdout } = await inProject('npx', 'sak-reconcile', '--dry-run', '--json', '-i', 'localhost,')
  t.match(Report.parse(JSON.parse(stdout)), {
    hosts: [{ tasks: [{ label: 'motd', status: 'drift' }, { label: 'sysctl' }] }],
  })
})

t.test('tests in TypeScript of a repository that npm init made', async t => {
  const { project, inProject } = await install(t, 'typescript')
  await inProject('npm', 'pkg', 'set', 'type=commonjs')
  const test = "import { sysctl } from 'sak-reconcile/modules'\nimport { fakeHost } from 'sak-reconcile/testing'\n"
  const host =
    "{ files: { '/sbin/sysctl': '', '/proc/sys/vm/swappiness': '60\\n', '/proc/self/mounts': 'proc /proc proc rw 0 0\\n' } }"
  const check = `void sysctl({ settings: { 'vm.swappiness': 10 } }).assess(fakeHost(${host})).then(({ changes }) => console.log(changes.length))`
  await writeFile(join(project, 'test/commonjs.ts'), test + check)
  t.match(await inProject('node', '--import', 'tsx', 'test/commonjs.ts'), { code: 0, stdout: '2\n' })
})

t.test('a CommonJS program', async t => {
  const { inProject } = await install(t, 'commonjs')
  t.match(await inProject('npm', 'start'), { stdout: /^localhost swapfile \w+\nlocalhost sysctl \w+$/m })
  const required =
    "console.log(typeof require('sak-reconcile').reconcile, Object.keys(require('sak-reconcile/modules')).length > 6)"
  t.match(await inProject('node', '-e', required), { code: 0, stdout: 'function true\n' })
})
