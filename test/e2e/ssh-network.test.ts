import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'

const answer = z.object({ outcomes: z.array(z.array(z.string())), ms: z.number(), left: z.array(z.string()) })

/** Runs the program in a network namespace where nothing can reach the world. It must end by itself, and well. */
function runInNamespace() {
  const hole = 'ip link add hole type dummy 2>/dev/null || ip tuntap add mode tun name hole' // nobody reads what goes in
  const setUp = `ip link set lo up; ${hole}; ip address add 10.99.0.1/24 dev hole; ip link set hole up`
  const program = join(import.meta.dirname, 'ssh-network-run.ts')
  const node = [process.execPath, '--conditions=sak-source', '--import=tsx', program]
  const shell = ['-c', `${setUp}; exec "$@"`, 'sh', ...node]
  return answer.parse(
    JSON.parse(execFileSync('unshare', ['--net', 'sh', ...shell], { encoding: 'utf8', timeout: 30_000 })),
  )
}

t.test('silence, no route, nobody there, no such name', async t => {
  const { outcomes, ms, left } = runInNamespace()
  const expected = [
    ['10.99.0.2', 'connect-timeout', /did not answer within 1.5 s/, /firewall/],
    ['203.0.113.1', 'unreachable', /ENETUNREACH/, /network/],
    ['127.0.0.1', 'unreachable', /connection refused/, /sshd/],
    ['host.invalid', 'unreachable', /name host.invalid/, /DNS/],
  ]
  t.match(outcomes, expected)
  t.ok(ms < 6000, `${ms} ms`)
  t.strictSame(
    left.filter(name => /Socket|TCP|Timeout/.test(name)),
    [],
  )
})
