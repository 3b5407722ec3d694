/**
 * What a check of a converged small state (ten files) costs over SSH, as whole processes in turn (ABAB): ours, the least that it
 * can cost (floor.mjs), and OpenSSH running `true`; with --ansible also ansible-playbook --check with pipelining. As root, after
 * `npm run build`: npx tsx --conditions=sak-source bench/check.ts [rounds] [--ansible]
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSshHosts } from '../test/e2e/ssh-hosts.ts'

const rounds = Number(process.argv[2] ?? 5)
const withAnsible = process.argv.includes('--ansible')
const forks = 50
const user = 'sak-plain'
const root = fileURLToPath(new URL('..', import.meta.url))
const hosts = await startSshHosts()
const port = hosts.port('many')
const key = join(hosts.directory, 'id_ed25519')
const folder = `/home/${user}/tuning`
const files = Array.from({ length: 10 }, (_, index) => ({
  path: `${folder}/${index}.conf`,
  content: `value = ${index}\n`,
}))

const at = (name: string) => join(hosts.directory, name)
mkdirSync(at('.ssh'))
writeFileSync(at('.ssh/known_hosts'), hosts.knownHosts())
const make = files.map(({ path, content }) => `printf '%s' '${content}' >${path}`).join('; ')
hosts.inside('su', user, '-c', `mkdir ${folder}; ${make}; chmod 644 ${folder}/*`)

const items = files.map(
  ({ path, content }, index) =>
    `file(${JSON.stringify({ path, content, owner: user, group: user })}, { label: 'file ${index}' })`,
)
writeFileSync(
  at('tuning.mjs'),
  `import { definePlaybook } from 'sak-reconcile'\nimport { file } from 'sak-reconcile/modules'\nexport default definePlaybook({ name: 'tuning', tasks: () => [${items.join(', ')}] })\n`,
)
const ansibleTasks = files.map(({ path, content }) => ({
  copy: { dest: path, content, owner: user, group: user, mode: '0644' },
}))
writeFileSync(at('tuning.json'), JSON.stringify([{ hosts: 'all', gather_facts: false, tasks: ansibleTasks }]))

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

/** Runs a program to its end, and says what it took; throws where it fails. */
function cost(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Cost {
  const measured = ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null', 'bash', ...argv]
  const clean = { PATH: process.env.PATH, HOME: hosts.directory, ...env }
  const { status, stderr } = spawnSync('bash', measured, { cwd: hosts.directory, env: clean, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status}\n${stderr}`)
  const [wall = 0, ...cpu] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  return { wallMs: wall * 1000, cpuMs: cpu.reduce((sum, seconds) => sum + seconds, 0) * 1000 }
}

function contenders(count: number): Readonly<Record<string, () => Cost>> {
  const names = Array.from({ length: count }, (_, index) => `host${index}`)
  const one = { address: '127.0.0.1', port, user, privateKeyPath: key }
  writeFileSync(at('hosts.json'), JSON.stringify({ hosts: Object.fromEntries(names.map(name => [name, one])) }))
  const [alias] = names.map(
    name =>
      `${name} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ansible_ssh_private_key_file=${key}`,
  )
  writeFileSync(at('hosts.ini'), names.map(name => alias?.replace('host0', name)).join('\n'))
  const cli = [process.execPath, join(root, 'dist/src/cli.js'), './tuning.mjs', '-n', '-i', 'hosts.json']
  const ssh = `ssh -F none -i ${key} -p ${port} -o UserKnownHostsFile=${at('.ssh/known_hosts')} ${user}@127.0.0.1 true`
  const paths = files.map(({ path }) => path)
  return {
    ours: () => cost([...cli, '-f', String(forks)]),
    floor: () =>
      cost([
        process.execPath,
        join(root, 'bench/floor.mjs'),
        String(port),
        key,
        user,
        String(count),
        String(forks),
        ...paths,
      ]),
    'ssh true': () => cost(['sh', '-c', `seq ${count} | xargs -P ${forks} -I{} ${ssh}`]),
    ...(withAnsible && {
      ansible: () =>
        cost(['ansible-playbook', '--check', '--diff', '-i', 'hosts.ini', '-f', String(forks), 'tuning.json'], {
          ANSIBLE_PIPELINING: 'True',
          ANSIBLE_HOST_KEY_CHECKING: 'False',
        }),
    }),
  }
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const median = (values: readonly number[]) => sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN

console.log('hosts  what       wall ms (least..most)      CPU ms  ours / it (least..most of each round)')
for (const count of [1, 10, 50]) {
  const costs = new Map<string, Cost[]>()
  const all = Object.entries(contenders(count))
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of all) {
      const measured = run()
      if (round >= 0) costs.set(name, [...(costs.get(name) ?? []), measured]) // the first round warms the disk's cache
    }
  }
  const ours = (costs.get('ours') ?? []).map(({ wallMs }) => wallMs)
  for (const [name, list] of costs) {
    const wall = sorted(list.map(({ wallMs }) => wallMs))
    const ratios = sorted(list.map(({ wallMs }, round) => (ours[round] ?? 0) / wallMs))
    const [least = 0, most = 0] = [wall[0], wall.at(-1)]
    const spread = `${median(wall).toFixed(0).padStart(7)} (${least.toFixed(0)}..${most.toFixed(0)})`.padEnd(26)
    const ratio = `${median(ratios).toFixed(2)} (${(ratios[0] ?? 0).toFixed(2)}..${(ratios.at(-1) ?? 0).toFixed(2)})`
    console.log(
      `${String(count).padStart(5)}  ${name.padEnd(9)} ${spread} ${median(list.map(({ cpuMs }) => cpuMs))
        .toFixed(0)
        .padStart(7)}  ${ratio}`,
    )
  }
}
await hosts.stop()
