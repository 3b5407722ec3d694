import { spawnSync } from 'node:child_process'
import { programOf, type Who, type Work } from './contenders.ts'
import type { BenchHosts, State } from './hosts.ts'

/** What a diff has of the first file where it differs: the line that should be there. */
const foundDrift = /^\W*\+ *value = 0$/m

/** Throws where a contender's check does not see a file that differs, or mends it: what it took would not be that of a check. */
export function proveSight(who: Who, work: Work, hosts: BenchHosts): void {
  if (who === 'floor' || who === 'ssh true') return // these compare nothing
  hosts.reset('drift', 1)
  const { argv, cwd, env } = programOf(who, { ...work, scenario: 'check', count: 1 }, hosts)
  const [program = '', ...args] = argv
  const { stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  })
  if (!foundDrift.test(stdout)) throw new Error(`${who}: a check did not see what differs\n${stdout}${stderr}`)
  proveState('drift', 1, hosts, `${who}: after a check of host1`)
}

/** Throws where hosts are not in the state in which they should be now. */
export function proveState(state: State, count: number, hosts: BenchHosts, when: string): void {
  const others = hosts.othersThan(state, count)
  if (others.length > 0) throw new Error(`${when}: not in the state "${state}": ${others.join(' ')}`)
}
