import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { traceEvents } from '../../src/cli/trace-file.ts'
import { commandLine, notes } from './sak.ts'

const span = (name: string, host: string | undefined, from: number, to: number) => ({
  name,
  from,
  to,
  details: {},
  ...(host !== undefined && { host }),
})

t.test('a host is a process, what is done there a thread, each named once', async t => {
  const events = traceEvents([
    span('start-up', undefined, 0, 50),
    span('dial', 'web1', 50, 51.5),
    span('dial', 'web2', 50, 52),
    span('trip 1', 'web1', 60, 75),
    span('dial', 'web1', 90, 91),
  ])
  const names = (kind: string) => events.filter(event => event.name === kind).map(event => event.args.name)
  t.same(names('process_name'), ['run', 'web1', 'web2'])
  t.same(names('thread_name'), ['start-up', 'dial', 'dial', 'trip 1'])
  t.match(events.at(-1), { ph: 'X', name: 'dial', ts: 90_000, dur: 1000 })
  const dials = events.filter(({ ph, name }) => ph === 'X' && name === 'dial')
  t.equal(dials[0]?.pid, dials[2]?.pid, 'of one host')
  t.not(dials[0]?.pid, dials[1]?.pid, 'of two hosts')
})

const Trace = z.array(
  z.object({
    ph: z.enum(['X', 'M']),
    name: z.string(),
    pid: z.int(),
    tid: z.int(),
    ts: z.int().nonnegative().optional(),
    dur: z.int().nonnegative().optional(),
    args: z.record(z.string(), z.unknown()),
  }),
)

t.test('--trace says where the time of a run went', async t => {
  const { cwd, run } = await commandLine(t, { 'notes.ts': notes })
  const answer = await run(
    './notes.ts',
    '-i',
    'localhost,',
    '-e',
    `folder=${cwd}`,
    '-n',
    '--trace',
    join(cwd, 'trace.json'),
  )
  t.equal(answer.code, 2, 'the exit code is that of the run')
  const trace = Trace.parse(JSON.parse(await readFile(join(cwd, 'trace.json'), 'utf8')))
  const done = trace.filter(({ ph }) => ph === 'X')
  for (const name of ['start-up', 'load playbook', 'load connections', 'host', 'trip 1', 'decode', 'end of reports']) {
    t.ok(
      done.some(event => event.name === name),
      name,
    )
  }
  const trip = done.find(({ name }) => name === 'trip 1')
  t.match(trip?.args, { bytesOut: Number, bytesIn: Number })
  t.notMatch(JSON.stringify(trace), /hello/, 'no contents')

  const nowhere = await run('./notes.ts', '-i', 'localhost,', '-n', '--trace', join(cwd, 'no/such/trace.json'))
  t.match(nowhere, { code: 1, stderr: /--trace/ })
})
