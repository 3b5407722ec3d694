/** What is asked of Docker. */
import { blocked, type CommandResult, type Host, orUnreadable, type Unreadable } from 'sak-reconcile'
import { type Container, type Machine, parseContainers, parseMachine } from './parse.ts'

/** One line of JSON a container. Nothing of its environment and other labels, where secrets may stand. */
const fields = {
  id: '.Id',
  name: '.Name',
  state: '.State.Status',
  service: '(index .Config.Labels "com.docker.compose.service")',
  files: '(index .Config.Labels "com.docker.compose.project.config_files")',
  directory: '(index .Config.Labels "com.docker.compose.project.working_dir")',
  oneOff: '(index .Config.Labels "com.docker.compose.oneoff")',
  memory: '.HostConfig.Memory',
  swap: '.HostConfig.MemorySwap',
  memoryReservation: '.HostConfig.MemoryReservation',
  nanoCpus: '.HostConfig.NanoCpus',
  quota: '.HostConfig.CpuQuota',
  period: '.HostConfig.CpuPeriod',
}
const format = `{${Object.entries(fields)
  .map(([key, field]) => `"${key}":{{json ${field}}}`)
  .join(',')}}`

const script =
  'i=$(docker ps -aq --no-trunc --filter label=com.docker.compose.service) || exit; [ -z "$i" ] || docker inspect --type container --format "$1" $i'

/** The argv of the reads, for those who play a host. */
export const asked = {
  version: ['docker', '--version'],
  compose: ['docker', 'compose', 'version', '--short'],
  machine: ['docker', 'info', '--format', '{{.NCPU}} {{.MemTotal}} {{.CgroupVersion}}'],
  containers: ['sh', '-c', script, 'containers', format],
} as const

export interface Engine {
  readonly machine: Machine
  readonly containers: readonly Container[]
}

/** The engine's containers of all projects. Throws where Docker or its compose is not there. */
export async function readEngine(host: Host): Promise<Engine | Unreadable> {
  const ask = (argv: readonly string[]) => host.command(argv, { as: 'root' })
  const [version, compose, machine, containers] = await Promise.all([
    ask(asked.version),
    ask(asked.compose),
    orUnreadable(ask(asked.machine)),
    orUnreadable(ask(asked.containers)),
  ])
  refuseOthers(version, compose)
  if ('kind' in machine) return machine
  if ('kind' in containers) return containers
  const fault = faultOf(machine) ?? faultOf(containers)
  if (fault) return fault
  return { machine: parseMachine(machine.stdout), containers: parseContainers(containers.stdout) }
}

function refuseOthers(version: CommandResult, compose: CommandResult): void {
  if (version.code === 127)
    throw blocked('not-installed', 'there is no docker', 'apt-get install docker.io, or docker-ce')
  if (/podman/i.test(version.stdout)) {
    throw blocked(
      'unsupported',
      "docker is podman's stand-in here, which keeps limits in another way",
      'this module knows Docker only',
    )
  }
  if (compose.code !== 0) {
    const hint =
      'install docker-compose-plugin (of docker.com) or docker-compose-v2 (Ubuntu); docker-compose 1.x passes over deploy'
    throw blocked('not-installed', 'docker has no compose, version 2 or later', hint)
  }
}

function faultOf({ code, stderr, stdout }: CommandResult): Unreadable | undefined {
  const said = `${stderr}\n${stdout}`
  // a container that is gone between two questions is none
  const isGone =
    stderr.trim() !== '' &&
    stderr
      .trim()
      .split('\n')
      .every(line => /no such (object|container)/i.test(line))
  if (code === 0 || isGone) return undefined
  if (/permission denied/i.test(said)) {
    return {
      kind: 'unreadable',
      error: blocked('needs-root', 'only root may ask the Docker engine', 'become root (-b)'),
    }
  }
  const [line = `exit code ${code}`] = stderr.split('\n').filter(text => text.trim() !== '')
  const reason = `the Docker engine does not answer: ${line.slice(0, 200)}`
  return { kind: 'unreadable', error: blocked('refused', reason, 'systemctl status docker') }
}
