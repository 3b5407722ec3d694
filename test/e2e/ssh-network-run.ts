/** Run within a network namespace of its own, where 10.99.0.2 swallows all packets and 203.0.113.1 has no route. Prints what came of each. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/connections/connect.ts'
import { isSakError } from '../../src/core/errors.ts'

const options = { sshConfigPath: 'none', connectTimeoutMs: 1500, retries: 0 }
const started = performance.now()
const hosts = ['10.99.0.2', '203.0.113.1', '127.0.0.1', 'host.invalid']

const outcomes = await Promise.all(
  hosts.map(async address => {
    try {
      await connect({ name: address, address, port: 22, user: 'x', connection: 'ssh', become: false }, options)
      return [address, 'connected', '']
    } catch (error) {
      return isSakError(error) ? [address, error.code, error.message, error.hint] : [address, 'other', String(error)]
    }
  }),
)
const ms = performance.now() - started
await sleep(50) // sockets that were closed are gone a moment later
console.log(JSON.stringify({ outcomes, ms, left: process.getActiveResourcesInfo() }))
