/**
 * dockerlimits on a host whose Docker is FAKE (fake-docker.mjs), since no engine can run there: proves the quoting, the steps, the way back
 * and that it converges. Once as the command line itself, and where this machine has the real command line, as the engine behind that.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { definePlaybook, reconcile, type Task } from 'sak-reconcile'
import { dockerlimits } from 'sak-reconcile/modules'
import t from 'tap'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
const state = '/var/lib/fake-docker.json'
const directory = "/srv/it's $(touch /tmp/ran) & co"
const path = `${directory}/docker-compose.yml`
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
const M = 1024 ** 2

const text = `# the shop
services:
  api:
    image: "shop/api"   # pinned
    mem_limit: 1g
  web:
    image: nginx
`
const task = (more: object = {}) =>
  dockerlimits.parse({
    project: directory,
    services: { api: { memory: '850M', cpus: 1.5 }, web: { memory: '128M', memoryReservation: '64M' } },
    ...more,
  })

async function run(task: Task, options: { dryRun?: boolean; become?: boolean; allow?: 'none' } = {}) {
  const { dryRun = false, become = true, allow } = options
  const inventory = inventoryOf([host])
  const [entry] = Object.values(inventory.hosts)
  const report = await reconcile({
    playbook: definePlaybook({ name: 'limits', tasks: () => [task] }),
    inventory: { ...inventory, hosts: { box: { ...entry, become } }, groups: {} },
    dryRun,
    ...(allow && { allow }),
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts[0]?.tasks ?? []
  if (!found) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...found, keys: found.changes.map(change => change.key).sort(), trips: report.hosts[0]?.roundTrips }
}

interface Container {
  readonly name: string
  readonly memory: number
  readonly swap: number
  readonly memoryReservation: number
  readonly nanoCpus: number
}
const unlimited = { memory: 0, swap: 0, memoryReservation: 0, nanoCpus: 0 }
const made = (service: string, digit: string, limits: Omit<Container, 'name'>) => ({
  id: digit.repeat(64),
  name: `shop-${service}-1`,
  state: 'running',
  service,
  files: path,
  directory,
  ...limits,
})

async function arrange({ fails, content = text }: { fails?: string; content?: string } = {}) {
  const old = { memory: 1024 * M, swap: 2048 * M, memoryReservation: 0, nanoCpus: 1e9 }
  const containers = [made('api', 'a', old), made('web', 'b', unlimited)]
  await host.exec(`cat >${state}`, { ...root, stdin: JSON.stringify({ containers, ...(fails && { fails }) }) })
  await host.exec(`mkdir -p ${quoted(directory)}; cat >${quoted(path)}`, { ...root, stdin: content })
  await host.exec(`chown ubuntu:adm ${quoted(path)}; chmod 640 ${quoted(path)}; rm -f /tmp/ran`, root)
}

const limitsOn = async (name: string): Promise<Container> => {
  const { containers } = JSON.parse(await host.output(`cat ${state}`, root))
  return containers.find((each: Container) => each.name === name)
}
const fileNow = () =>
  host.output(`cat ${quoted(path)}; stat -c '%U:%G %a' ${quoted(path)}; ls -A ${quoted(directory)}`, root)

const install = async (from: string, to: string) => {
  await host.exec(`mkdir -p "$(dirname ${to})"`, root)
  const { status, stderr } = spawnSync(
    'scp',
    [
      '-q',
      '-i',
      host.privateKeyPath,
      '-o',
      `UserKnownHostsFile=${host.knownHostsPath}`,
      '-P',
      String(host.port),
      from,
      `${host.user}@${host.address}:/tmp/program`,
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  await host.exec(`install -m 755 /tmp/program ${to}; rm /tmp/program`, root)
}

const fake = new URL('./fake-docker.mjs', import.meta.url).pathname
const realCommandLine = ['/usr/local/bin/docker', '/usr/bin/docker'].find(existsSync)
const plugins = [process.env.DOCKER_CONFIG ?? '', '/usr/local/lib/docker', '/usr/libexec/docker', '/usr/lib/docker']
const realCompose = plugins.map(folder => `${folder}/cli-plugins/docker-compose`).find(existsSync)

const setups = {
  'a fake command line': async () => install(fake, '/usr/local/bin/docker'),
  'the real command line before a fake engine': async () => {
    await install(realCommandLine ?? '', '/usr/local/bin/docker')
    await install(realCompose ?? fake, '/usr/libexec/docker/cli-plugins/docker-compose')
    await install(fake, '/usr/local/lib/fake-engine')
    await host.exec('systemd-run --quiet --unit=fake-engine /usr/local/lib/fake-engine serve /run/docker.sock', root)
    await host.exec('for i in 1 2 3 4 5 6 7 8 9; do [ -S /run/docker.sock ] && exit; sleep 0.5; done; exit 1', root)
  },
}

t.test('a host without docker', async t => {
  t.match(await run(task(), { dryRun: true }), { status: 'blocked', error: { code: 'not-installed' } })
})

for (const [name, setUp] of Object.entries(setups)) {
  const skip = name.startsWith('the real') && !realCommandLine && 'this machine has no docker command line'
  t.test(name, { skip }, async t => {
    await setUp()
    const refusal = name.startsWith('the real') && realCompose ? 'mem_swappiness: REFUSE' : '# REFUSE'

    t.test('it converges', async t => {
      await arrange()
      const before = await fileNow()
      t.match(await run(task(), { dryRun: true }), {
        status: 'drift',
        keys: ['running', 'saved'],
        trips: 1,
        blocked: undefined,
      })
      t.equal(await fileNow(), before, 'a dry run changes nothing')
      t.match(await run(task(), { allow: 'none' }), { status: 'pending' })
      t.equal(await fileNow(), before)
      t.match(await run(task()), { status: 'changed', error: null })
      t.match(await run(task(), { dryRun: true }), { status: 'ok', keys: [] })
      const after = `# the shop
services:
  api:
    image: "shop/api"   # pinned
    mem_limit: 850M
    cpus: 1.5
  web:
    image: nginx
    deploy:
      resources:
        limits:
          memory: 128M
        reservations:
          memory: 64M
`
      t.equal(await fileNow(), `${after}ubuntu:adm 640\ndocker-compose.yml`)
      t.match(await limitsOn('shop-api-1'), { memory: 850 * M, swap: 1700 * M, memoryReservation: 0, nanoCpus: 1.5e9 })
      t.match(await limitsOn('shop-web-1'), { memory: 128 * M, swap: 256 * M, memoryReservation: 64 * M, nanoCpus: 0 })
      t.match(await host.exec('test -e /tmp/ran', { ...root, mayFail: true }), { code: 1 }, 'no shell read the path')
    })

    t.test('each drift is found in its layer and mended', async t => {
      await host.exec(`docker update --memory ${900 * M} --memory-swap ${2000 * M} shop-api-1`, root)
      t.match(await run(task()), { status: 'changed', keys: ['running'] })
      await host.exec(`sed -i s/128M/96mb/ ${quoted(path)}`, root)
      t.match(await run(task()), { status: 'changed', keys: ['saved'] })
      await host.exec(`sed -i s/128M/131072kb/ ${quoted(path)}`, root)
      t.match(await run(task(), { dryRun: true }), { status: 'ok' }, 'the same, spelled otherwise')
    })

    t.test('a container that refuses: all goes back', async t => {
      await arrange({ fails: 'shop-web-1' })
      const before = await fileNow()
      t.match(await run(task()), { status: 'failed', error: { said: /told to fail/, rollback: 'done' } })
      t.equal(await fileNow(), before)
      t.match(
        await limitsOn('shop-api-1'),
        { memory: 1024 * M, swap: 2048 * M, nanoCpus: 1e9 },
        'as it was, to the byte',
      )
      t.match(await limitsOn('shop-web-1'), unlimited)
      // the other way about: one that had no limit is taken back after the other has refused
      await arrange({ fails: 'shop-api-1' })
      const reversed = `node -e 'const f="${state}",s=JSON.parse(fs.readFileSync(f));s.containers.reverse();fs.writeFileSync(f,JSON.stringify(s))'`
      await host.exec(reversed, root)
      t.match(await run(task()), { status: 'failed', error: { rollback: 'done' } })
      const { memory, swap, memoryReservation } = await limitsOn('shop-web-1')
      t.same(
        [memory, swap, memoryReservation],
        [2021654528, -1, 6 * M],
        'all that the host has, since there is no way to none',
      )
    })

    t.test('compose refuses the file: it never is in its place', async t => {
      await arrange({ content: text.replace('image: nginx', `image: nginx\n    ${refusal}`) })
      const before = await fileNow()
      t.match(await run(task()), {
        status: 'failed',
        error: { said: /REFUSE|refuse|mem_swappiness/, rollback: 'done' },
      })
      t.equal(await fileNow(), before)
      t.match(await limitsOn('shop-api-1'), { memory: 1024 * M })
    })

    t.test('who may not become root is told', async t => {
      t.match(await run(task(), { dryRun: true, become: false }), { status: 'blocked', error: { code: 'needs-root' } })
    })
  })
}
