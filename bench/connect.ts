/**
 * What reaching a host costs us, held against a bare ssh2 that connects and runs one command. Both run in turn (ABAB),
 * against a real sshd on this machine. As root: npx tsx --conditions=sak-source bench/connect.ts [rounds]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { connect } from '../src/connections/connect.ts'
import { startSshHosts } from '../test/e2e/ssh-hosts.ts'

const rounds = Number(process.argv[2] ?? 60)
const hosts = await startSshHosts()
const privateKey = readFileSync(join(hosts.directory, 'id_ed25519'))

function bare(): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('error', reject)
    client.on('close', () => resolve())
    client.on('ready', () =>
      client.exec('sh -s', (error, channel) => {
        if (error) return reject(error)
        channel.on('close', () => client.end())
        channel.resume().stderr.resume()
        channel.end('main() { id -un; }\nmain\n')
      }),
    )
    client.connect({
      host: '127.0.0.1',
      port: hosts.port('main'),
      username: 'sak-plain',
      privateKey,
      hostVerifier: () => true,
    })
  })
}

const options = hosts.options() // shared, as the hosts of one run share them

async function ours(): Promise<void> {
  const connection = await connect(hosts.target('sak-plain'), options)
  await connection.run('main() { id -un; }\nmain\n', { deadlineMs: 10_000 })
  await connection.close()
}

interface Cost {
  readonly wall: number
  readonly cpu: number
}

async function cost(act: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await act()
  const { user, system } = process.cpuUsage(cpu)
  return { wall: performance.now() - started, cpu: (user + system) / 1000 }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

async function compare(name: string, inParallel: number, times: number) {
  const all = (act: () => Promise<void>) => async () =>
    void (await Promise.all(Array.from({ length: inParallel }, act)))
  const theirs: Cost[] = []
  const mine: Cost[] = []
  for (let round = 0; round < times; round++) {
    theirs.push(await cost(all(bare)))
    mine.push(await cost(all(ours)))
  }
  for (const measure of ['wall', 'cpu'] as const) {
    const [a, b] = [theirs, mine].map(costs => median(costs.slice(2).map(each => each[measure])) / inParallel)
    if (a !== undefined && b !== undefined) {
      console.log(`${name} ${measure}: bare ${a.toFixed(1)} ms, ours ${b.toFixed(1)} ms, ratio ${(b / a).toFixed(2)}`)
    }
  }
}

await compare('one host', 1, rounds)
await compare('eight at once, per host', 8, Math.ceil(rounds / 4))
await hosts.stop()
