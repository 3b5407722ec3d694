import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../../src/connections/connect.ts'
import type { ConnectOptions } from '../../src/core/connect-options.ts'
import type { Connection, ScriptResult, Target } from '../../src/core/connection.ts'
import { isSakError } from '../../src/core/errors.ts'
import { answering, type Behaviour, faultyOptions, startFaultyServer } from './faulty-server.ts'

const script = 'main() { echo hello; }\nmain\n'

interface Fault {
  readonly code: string
  readonly message?: RegExp
  readonly hint?: RegExp | false
  readonly behaviour: Behaviour
  readonly options?: Partial<ConnectOptions>
  readonly target?: Partial<Target>
}

const reset = (socket: Socket) => void socket.resetAndDestroy()
const stall = () => {}
const answer = Buffer.from('half of the ans')

/** What a host may do to us, by the moment it does it, and what a person is told. */
const faults: Record<string, Fault> = {
  'silent from the start': { code: 'connect-timeout', message: /sent no SSH banner/, behaviour: { raw: stall } },
  'closes at once': {
    code: 'connect-failed',
    message: /before it said anything/,
    hint: /MaxStartups/,
    behaviour: { raw: socket => void socket.end() },
  },
  'resets at once': { code: 'connect-failed', behaviour: { raw: reset } },
  'speaks HTTP': {
    code: 'connect-failed',
    message: /does not speak SSH/,
    hint: /port/,
    behaviour: { raw: socket => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') },
  },
  'drops us for MaxStartups': {
    code: 'connect-failed',
    message: /too many logins/,
    hint: /MaxStartups/,
    behaviour: { raw: socket => void socket.end('Not allowed at this time\r\n') },
  },
  'sends garbage for ever': {
    code: 'connect-failed',
    behaviour: {
      raw: socket => {
        const feed = setInterval(() => socket.write(Buffer.alloc(4096, 65)), 5)
        socket.on('close', () => clearInterval(feed))
      },
    },
  },
  'resets after its banner': {
    code: 'connect-failed',
    message: /during the key exchange/,
    behaviour: { cut: { afterBytes: 60, by: reset } },
  },
  'stalls after its banner': {
    code: 'connect-timeout',
    message: /middle of the key exchange/,
    behaviour: { cut: { afterBytes: 60, by: stall } },
  },
  'resets within the key exchange': {
    code: 'connect-failed',
    message: /during the key exchange/,
    behaviour: { cut: { afterBytes: 1000, by: reset } },
  },
  'stalls within the key exchange': { code: 'connect-timeout', behaviour: { cut: { afterBytes: 1000, by: stall } } },
  'resets while we log in': {
    code: 'connect-failed',
    message: /while we logged in/,
    behaviour: { auth: (_, { socket }) => reset(socket) },
  },
  'stalls while we log in': {
    code: 'connect-timeout',
    message: /did not decide on the login/,
    behaviour: { auth: stall },
  },
  'refuses every login': {
    code: 'auth-failed',
    message: /tried .*id \(ssh-ed25519 SHA256:.*the server takes password, hostbased/,
    behaviour: { auth: context => context.reject(['password', 'hostbased']) },
  },
  'refuses the password too': {
    code: 'auth-failed',
    message: /tried .*, password;/,
    target: { password: 'x' },
    behaviour: { auth: context => context.reject(['password']) },
  },
  'opens no session': {
    code: 'connect-failed',
    message: /opens no session/,
    hint: /MaxSessions/,
    behaviour: { session: (_, reject) => reject() },
  },
  'stalls while a session opens': { code: 'timeout', behaviour: { session: stall } },
  'runs no command': { code: 'connect-failed', message: /runs no command/, behaviour: { refuseExec: true } },
  'runs something else': {
    code: 'connect-failed',
    message: /something else/,
    behaviour: {
      exec: ({ channel }) => {
        channel.write('Welcome to the menu\n')
        channel.exit(0)
        channel.end()
      },
    },
  },
  'says nothing and ends': {
    code: 'connect-failed',
    behaviour: {
      exec: ({ channel }) => {
        channel.exit(1)
        channel.end()
      },
    },
  },
  'resets before an answer': {
    code: 'connection-lost',
    behaviour: {
      exec: ({ ready, socket }) => {
        ready()
        setTimeout(reset, 20, socket)
      },
    },
  },
  'resets after half an answer': {
    code: 'connection-lost',
    behaviour: {
      exec: ({ ready, channel, socket }) => {
        ready()
        channel.write(answer)
        setTimeout(reset, 20, socket)
      },
    },
  },
  'closes after half an answer': {
    code: 'connection-lost',
    behaviour: {
      exec: ({ ready, channel, socket }) => {
        ready()
        channel.write(answer)
        setTimeout(() => socket.end(), 20)
      },
    },
  },
  'closes the channel without an exit status': {
    code: 'connection-lost',
    behaviour: {
      exec: ({ ready, channel }) => {
        ready()
        channel.write(answer)
        channel.end()
      },
    },
  },
  'stalls after half an answer': {
    code: 'timeout',
    behaviour: {
      exec: ({ ready, channel }) => {
        ready()
        channel.write(answer)
      },
    },
  },
  'stalls before an answer': { code: 'timeout', behaviour: { exec: stall } },
  'answers without an end': {
    code: 'answer-too-large',
    behaviour: {
      exec: ({ ready, channel, socket }) => {
        ready()
        flood(channel, socket)
      },
    },
  },
  'complains without an end': {
    code: 'answer-too-large',
    behaviour: {
      exec: ({ ready, channel, socket }) => {
        ready()
        flood(channel.stderr, socket)
      },
    },
  },
  'stops answering keepalives': {
    code: 'timeout',
    behaviour: {
      exec: ({ ready, socket }) => {
        ready()
        socket.pause()
      },
    },
  },
}

function flood(stream: { write(chunk: Buffer): unknown }, socket: Socket) {
  const feed = setInterval(() => stream.write(Buffer.alloc(32 * 1024)), 2)
  socket.on('close', () => clearInterval(feed))
}

async function outcome(target: Target, options: ConnectOptions): Promise<ScriptResult | Error> {
  let connection: Connection | undefined
  try {
    connection = await connect(target, options)
    return await connection.run(script, { deadlineMs: 1000, maxBytes: 1_000_000 })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await connection?.close()
  }
}

const sockets = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length

t.test('each fault gives its code and says what to do', async t => {
  const before = sockets()
  await Promise.all(
    Object.entries(faults).map(async ([name, fault]) => {
      const server = await startFaultyServer(fault.behaviour)
      const error = await outcome({ ...server.target, ...fault.target }, faultyOptions(fault.options))
      if (!isSakError(error)) t.fail(`${name}: no SakError`, { error })
      else {
        t.equal(error.code, fault.code, `${name}: ${error.message}`)
        if (fault.message) t.match(error.message, fault.message, name)
        if (fault.hint instanceof RegExp) t.match(error.hint, fault.hint, name)
        if (error.code !== 'answer-too-large') t.ok(error.hint, `${name} has a hint`)
      }
      await server.close()
    }),
  )
  await sleep(50)
  t.equal(sockets(), before, 'no socket is left')
})

t.test('fifty hosts that fail in other ways leave each other alone', async t => {
  const before = sockets()
  const kinds = Object.values(faults)
  const good = (index: number) => index % 5 === 0
  const servers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const fault = kinds[index % kinds.length]
      return await startFaultyServer(good(index) || fault === undefined ? answering('hello\n') : fault.behaviour)
    }),
  )
  const options = faultyOptions({ connectTimeoutMs: 4000, authTimeoutMs: 3000 })
  const outcomes = await Promise.all(servers.map(async server => await outcome(server.target, options)))
  outcomes.forEach((result, index) => {
    const expected = kinds[index % kinds.length]?.code
    if (good(index)) t.match(result, { code: 0, stdout: Buffer.from('hello\n') }, `host ${index} answers`)
    else t.match(result, { code: expected }, `host ${index} gives ${expected}`)
  })
  await Promise.all(servers.map(async server => await server.close()))
  await sleep(50)
  t.equal(sockets(), before, 'no socket is left')
})

t.test('only connecting is tried again, and not for ever', async t => {
  let refusals = 2
  const flaky = await startFaultyServer({ ...answering('hello\n'), refuse: () => refusals-- > 0 })
  t.match(await outcome(flaky.target, faultyOptions({ retries: 2 })), { code: 0 })
  t.equal(flaky.seen.count, 3)
  await flaky.close()
  const cases: readonly (readonly [Behaviour, number])[] = [
    [{ raw: socket => void socket.end() }, 2],
    [{ auth: context => context.reject(['password']) }, 1],
    [{ auth: (_, { socket }) => reset(socket) }, 1],
    [
      {
        exec: ({ ready, socket }) => {
          ready()
          reset(socket)
        },
      },
      1,
    ],
  ]
  for (const [behaviour, count] of cases) {
    const server = await startFaultyServer(behaviour)
    await outcome(server.target, faultyOptions({ retries: 1 }))
    t.equal(server.seen.count, count)
    await server.close()
  }
})

t.test('a dead connection is noticed by keepalives, long before the deadline', async t => {
  const server = await startFaultyServer({
    exec: ({ ready, socket }) => {
      ready()
      socket.pause()
    },
  })
  const connection = await connect(server.target, faultyOptions({}, 'ServerAliveInterval 1\nServerAliveCountMax 1\n'))
  await t.rejects(connection.run(script, { deadlineMs: 60_000 }), { code: 'connection-lost', message: /Keepalive/ })
  await connection.close()
  await server.close()
})

t.test('a connection that breaks while nobody uses it fails the next script only', async t => {
  const server = await startFaultyServer(answering('hello\n'))
  const connection = await connect(server.target, faultyOptions())
  t.match(await connection.run(script, { deadlineMs: 1000 }), { code: 0 })
  for (const socket of server.seen.open) reset(socket)
  await sleep(50)
  await t.rejects(connection.run(script, { deadlineMs: 1000 }), { code: 'connection-lost' })
  await connection.close()
  await connection.close()
  await server.close()
})

t.test('giving up is heard at once, while connecting and while running', async t => {
  const silent = await startFaultyServer({ raw: stall })
  const connecting = connect(silent.target, faultyOptions({ signal: AbortSignal.timeout(50) }))
  await t.rejects(connecting, { code: 'interrupted' })
  await silent.close()
  let nowClosed = () => {}
  const closed = new Promise<void>(resolve => {
    nowClosed = resolve
  })
  const slow = await startFaultyServer({
    exec: ({ ready, channel }) => {
      ready()
      channel.resume().on('close', nowClosed)
    },
  })
  const connection = await connect(slow.target, faultyOptions())
  await t.rejects(connection.run(script, { deadlineMs: 5000, signal: AbortSignal.timeout(50) }), {
    code: 'interrupted',
  })
  await t.rejects(connection.run(script, { deadlineMs: 5000, signal: AbortSignal.abort() }), { code: 'interrupted' })
  await t.resolves(closed, 'the host is told')
  await connection.close()
  await slow.close()
})

t.test('bytes come as they were sent', async t => {
  const text = Buffer.from('  grüße 日本\n\0\xff\n\n')
  const server = await startFaultyServer({
    exec: ({ ready, channel }) => {
      channel.stderr.write('noise before\n')
      ready()
      let at = 0
      const next = () => {
        if (at < text.length) channel.write(text.subarray(at, ++at), () => setImmediate(next))
        else {
          channel.stderr.write('err \n')
          channel.exit(7)
          channel.end()
        }
      }
      next()
    },
  })
  const result = await outcome(server.target, faultyOptions())
  t.match(result, { code: 7, signal: null, stdout: text, stderr: Buffer.from('err \n') })
  await server.close()
})

t.test('an end by signal is a result', async t => {
  const server = await startFaultyServer({
    exec: ({ ready, channel }) => {
      ready()
      channel.exit('KILL')
      channel.end()
    },
  })
  t.match(await outcome(server.target, faultyOptions()), { code: null, signal: 'SIGKILL' })
  await server.close()
})

t.test('a process left behind that holds the output open does not hold us', async t => {
  const server = await startFaultyServer({
    exec: ({ ready, channel }) => {
      ready()
      channel.write('done')
      channel.exit(0)
    },
  })
  const connection = await connect(server.target, faultyOptions())
  t.match(await connection.run(script, { deadlineMs: 20_000 }), { code: 0, stdout: Buffer.from('done') })
  await connection.close()
  await server.close()
})
