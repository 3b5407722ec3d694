import { readFileSync } from 'node:fs'
import { dockerlimits, packages } from 'sak-reconcile/modules'
import type { Subject } from './subjects.ts'

const beside = (name: string) => readFileSync(new URL(`../e2e/${name}`, import.meta.url), 'utf8')
/** Runs a script of ours, or writes it, with nothing in it that the shell would read. */
const here = (command: string, text: string) => `${command} <<'END OF TEXT'\n${text}\nEND OF TEXT`

const project = '/srv/campaign-shop'
const M = 1024 ** 2
const container = (service: string, digit: string) => ({
  id: digit.repeat(64),
  name: `shop-${service}-1`,
  state: 'running',
  service,
  files: `${project}/compose.yml`,
  directory: project,
  memory: 1024 * M,
  swap: 2048 * M,
  memoryReservation: 0,
  nanoCpus: 1e9,
})
const containers = JSON.stringify({ containers: [container('api', 'a'), container('web', 'b')] })

/** Modules whose programs a stock host does not have: their reset brings these. What dpkg and the engine keep counts by what the check finds. */
export const programSubjects: readonly Subject[] = [
  {
    name: 'packages',
    tasks: [packages({ name: 'sak-app', version: '2.0', hold: true })],
    reset: `[ -e /srv/sak-repository/Packages ] || {\n${here('sh -s', beside('apt-repository.sh'))}\napt-get -q update; } >/dev/null
apt-mark unhold sak-app >/dev/null 2>&1; dpkg --purge sak-app sak-lib >/dev/null 2>&1
apt-get -qy install sak-app=1.0 sak-lib=1.0 >/dev/null`,
    files: ['/etc/sak-app/sak-app.conf', '/usr/share/sak-app/version', '/usr/share/sak-lib/version'],
  },
  {
    // Docker is fake: see fake-docker.mjs
    name: 'dockerlimits',
    tasks: [
      dockerlimits({ project, services: { api: { memory: '850M', cpus: 1.5 }, web: { memory: '128M', cpus: 0.5 } } }),
    ],
    reset: `${here('cat >/usr/local/bin/docker', beside('fake-docker.mjs'))}\nchmod 755 /usr/local/bin/docker; mkdir -p ${project}
${here("tr -d '\\n' >/var/lib/fake-docker.json", containers)}
printf 'services:\\n  api:\\n    image: api\\n    mem_limit: 1g\\n  web:\\n    image: web\\n' >${project}/compose.yml`,
  },
]
