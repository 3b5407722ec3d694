import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { BenchHosts, State } from './hosts.ts'
import type { Program } from './measure.ts'

/** What is done: a dry run on hosts in sync, an apply of everything, an apply on hosts in sync. */
export const Scenario = z.enum(['check', 'apply', 'noop'])
export type Scenario = z.infer<typeof Scenario>

/** Who does it. */
export const Who = z.enum(['ours', 'floor', 'ssh true', 'ansible', 'ansible pipelining', 'ansible mitogen'])
export type Who = z.infer<typeof Who>

/** How the hosts are before it. */
export const stateBefore: Readonly<Record<Scenario, State>> = { check: 'sync', apply: 'drift', noop: 'sync' }

/** A scenario on some hosts. */
export interface Work {
  readonly scenario: Scenario
  readonly count: number
  readonly forks: number
  /** Where the hosts' ssh is reached. */
  readonly port: number
}

const root = fileURLToPath(new URL('..', import.meta.url))
const files = Array.from({ length: 10 }, (_, index) => ({ name: `${index}.conf`, content: `value = ${index}\n` }))
const names = files.map(({ name }) => name).join(' ')

const playbook = `import { definePlaybook } from 'sak-reconcile'
import { file } from 'sak-reconcile/modules'
import { z } from 'zod'
const files = ${JSON.stringify(files)}
export default definePlaybook({
  name: 'tuning',
  params: z.object({ user: z.string() }),
  tasks: ({ user }) =>
    files.map(({ name, content }) =>
      file({ path: '/home/' + user + '/' + name, content, owner: user, group: user }, { label: name })),
})
`

const ansibleTasks = files.map(({ name, content }) => ({
  copy: {
    dest: `/home/{{ ansible_user }}/${name}`,
    content,
    owner: '{{ ansible_user }}',
    group: '{{ ansible_user }}',
    mode: '0644',
  },
}))

/** One script, which reads all files or writes them: no other way takes fewer trips. */
const floorScripts: Readonly<Record<Scenario, string>> = {
  check: `main() { stat -c '%a %U %G' ${names}; cat ${names}; }\nmain\n`,
  noop: `main() { stat -c '%a %U %G' ${names}; cat ${names}; }\nmain\n`,
  apply: `main() {\nset -e\n${files
    .map(({ name, content }) => `printf '%s' '${content}' >.${name}.new; mv .${name}.new ${name}`)
    .join('\n')}\n}\nmain\n`,
}

/** ssh takes the home directory from /etc/passwd, whatever HOME says. */
const sshOptions = (home: string) => `-F none -o UserKnownHostsFile=${join(home, '.ssh/known_hosts')}`

/** Whether this machine has what a contender needs. */
export function isInstalled(who: Who): boolean {
  const succeeds = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
  if (who.startsWith('ansible') && !succeeds('ansible-playbook', '--version')) return false
  // Debian's Ansible runs in Debian's Python, whichever comes first in PATH
  return who !== 'ansible mitogen' || succeeds('/usr/bin/python3', '-c', 'import ansible_mitogen')
}

/** Writes what the programs of all contenders read, and answers those of one. */
export function programOf(who: Who, work: Work, hosts: BenchHosts): Program {
  const { scenario, count, forks, port } = work
  const { directory: cwd, key } = hosts
  const some = hosts.all.slice(0, count)
  const write = (name: string, content: string) => writeFileSync(join(cwd, name), content)
  const program = (argv: readonly string[], env: Program['env'] = {}): Program => ({
    argv,
    cwd,
    env: { HOME: cwd, ...env },
  })
  if (who === 'ssh true') {
    const ssh = `ssh ${sshOptions(cwd)} -i ${key} -p ${port}`
    write('hosts.txt', some.map(({ user, address }) => `${user}@${address}\n`).join(''))
    return program(['sh', '-c', `xargs -P ${forks} -I{} ${ssh} {} true <hosts.txt`])
  }
  if (who === 'ansible' || who === 'ansible pipelining' || who === 'ansible mitogen') {
    write('tuning.json', JSON.stringify([{ hosts: 'all', gather_facts: false, tasks: ansibleTasks }]))
    const about = `ansible_port=${port} ansible_ssh_private_key_file=${key}`
    const lines = some.map(
      ({ name, address, user }) => `${name} ansible_host=${address} ansible_user=${user} ${about}\n`,
    )
    write('hosts.ini', lines.join(''))
    const look = scenario === 'check' ? ['--check'] : []
    return program(['ansible-playbook', ...look, '--diff', '-i', 'hosts.ini', '-f', String(forks), 'tuning.json'], {
      ANSIBLE_PIPELINING: who === 'ansible pipelining' ? 'True' : 'False',
      ANSIBLE_STRATEGY: who === 'ansible mitogen' ? 'mitogen_linear' : 'linear',
      ANSIBLE_SSH_COMMON_ARGS: sshOptions(cwd),
    })
  }
  const inventory = Object.fromEntries(
    some.map(({ name, address, user }) => [name, { address, port, user, privateKeyPath: key, vars: { user } }]),
  )
  write('hosts.json', JSON.stringify({ hosts: inventory }))
  if (who === 'floor') {
    write('floor.sh', floorScripts[scenario])
    return program([process.execPath, join(root, 'bench/floor.mjs'), 'hosts.json', 'floor.sh', String(forks)])
  }
  write('tuning.mjs', playbook)
  const how = scenario === 'check' ? '--dry-run' : '--yes'
  const cli = [process.execPath, join(root, 'dist/src/cli.js'), './tuning.mjs', how, '-i', 'hosts.json']
  return program([...cli, '-f', String(forks)])
}

/** Ends what a contender left to be quicker the next time, which would not be a run of its own. */
export function forget({ directory }: BenchHosts): void {
  const sockets = join(directory, '.ansible/cp')
  try {
    for (const name of readdirSync(sockets)) {
      spawnSync('ssh', ['-O', 'exit', '-o', `ControlPath=${join(sockets, name)}`, 'host'], { stdio: 'ignore' })
    }
  } catch {
    // Ansible has not run
  }
  rmSync(join(directory, '.ansible'), { recursive: true, force: true })
}
