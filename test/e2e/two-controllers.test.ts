/**
 * Two controllers apply in a loop to the same ten hosts: on no host do their runs interleave, and each run either applied or
 * says who holds the lock. Ten users of one sshd are ten hosts: each has its own home, and so its own journals and locks.
 * SAK_CONTROLLERS_SECONDS is how long they go on; default 20, in full 120.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Report } from '../../src/core/report.ts'
import { emptyFolder, sak } from '../cli/sak.ts'
import { startSshHosts } from './ssh-hosts.ts'

const seconds = Number(process.env.SAK_CONTROLLERS_SECONDS ?? 20)
const users = ['plain', 'nopass', 'pass', 'untty', 'pty', 'own', 'dash', 'fish', 'csh', 'noisy'].map(
  name => `sak-${name}`,
)

/** Keeps a file that each run wants otherwise, and notes in another when the steps of a run begin and end. */
const playbook = `
import { defineModule, definePlaybook, run, write } from 'sak-reconcile'
import { z } from 'zod'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({ user: z.string(), text: z.string() }),
  owns: ({ user }) => ['/home/' + user + '/note'],
  check: async (host, { user, text }) => {
    const path = '/home/' + user + '/note'
    return { current: { saved: await host.file(path) }, desired: { saved: { kind: 'file', path, content: text } } }
  },
  apply: ({ saved }, { user, text }) => {
    const mark = (word, pause) =>
      ['sh', '-c', 'sleep "$4"; echo "$1 $2" >>"$3"', 'sh', word, text, '/home/' + user + '/marks', pause]
    const step = (word, pause) =>
      run(mark(word, pause), { as: user, undo: [{ argv: mark('undone', '0'), as: user }] })
    return saved && [step('begin', '0'), write(saved.after), step('end', '0.3')]
  },
})

export default definePlaybook({
  name: 'notes',
  params: z.strictObject({ text: z.string() }),
  tasks: ({ text }, { name }) => [note({ user: name, text })],
})
`

const hosts = await startSshHosts()
t.teardown(() => hosts.stop())

/** Ten hosts as a controller sees them, in a home of its own: nothing on this side keeps two controllers apart. */
async function controller(name: string) {
  const home = await emptyFolder(t)
  mkdirSync(join(home, '.ssh'))
  writeFileSync(join(home, '.ssh/config'), `Include ${join(hosts.directory, 'config')}\n`)
  writeFileSync(join(home, 'notes.ts'), playbook)
  const inventory = { hosts: Object.fromEntries(users.map(user => [user, loginOf(user)])) }
  writeFileSync(join(home, 'hosts.json'), JSON.stringify(inventory))
  const args = ['./notes.ts', '-i', 'hosts.json', '--yes', '--json', '--lock-wait', '100ms']
  return async (run: number) => {
    const text = `${name}${run}`
    const ran = await sak([...args, '-e', `text=${text}`], { cwd: home, env: { XDG_STATE_HOME: join(home, 'state') } })
    return { text, code: ran.code, report: Report.parse(JSON.parse(ran.stdout || JSON.stringify(ran))) }
  }
}

function loginOf(user: string) {
  const { address, port, privateKeyPath } = hosts.target(user)
  return { address, port, user, privateKeyPath }
}

t.test('no run interleaves with another, and none fails but by the lock', async t => {
  const end = performance.now() + seconds * 1000
  const controllers = await Promise.all(['a', 'b'].map(controller))
  const runs = await Promise.all(
    controllers.map(async apply => {
      const done = []
      for (let run = 1; performance.now() < end || run < 3; run++) done.push(await apply(run))
      return done
    }),
  )
  const applied = new Map<string, string[]>(users.map(user => [user, []]))
  let locked = 0
  for (const { text, report } of runs.flat()) {
    t.same(report.hosts.map(({ name }) => name).sort(), users.toSorted(), `${text} tells of every host`)
    for (const host of report.hosts) {
      if (host.status === 'changed') applied.get(host.name)?.push(text)
      else {
        locked++
        t.match(
          host.error,
          { code: 'locked', message: /: run \S+ of \S+@\S+, process \d+, since 20/ },
          `${text} ${host.name}`,
        )
      }
    }
  }
  for (const user of users) {
    const marks = hosts.inside('cat', `/home/${user}/marks`).trim().split('\n')
    const begun = marks.flatMap(mark => (mark.startsWith('begin ') ? [mark.slice('begin '.length)] : []))
    t.same(
      marks,
      begun.flatMap(text => [`begin ${text}`, `end ${text}`]),
      `on ${user} one run ends before another begins`,
    )
    t.same(begun.toSorted(), applied.get(user)?.toSorted(), `on ${user} those ran that say so, and no others`)
    t.equal(hosts.inside('cat', `/home/${user}/note`), begun.at(-1), `on ${user} the last one's note stays`)
  }
  const total = [...applied.values()].flat().length
  t.comment(`${runs.flat().length} runs in ${seconds} s: ${total} times applied, ${locked} times locked out`)
  t.ok(total > users.length && locked > 0, 'both had their turn, and met')
})
