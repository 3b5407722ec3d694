import t from 'tap'
import type { KnownFacts } from '../../src/core/facts.ts'
import { type When, whyUnwanted } from '../../src/core/when.ts'

const host = { name: 'web1', groups: ['web'], vars: { redis: true } }
const debian: KnownFacts = {
  ramMiB: 1928,
  cores: 2,
  arch: 'x86_64',
  'os.id': 'debian',
  'os.version': '12',
  'os.like': [],
}
const why = (...conditions: readonly When[]) => whyUnwanted(conditions, host, debian)

t.test('a task is wanted where all its conditions hold', async t => {
  t.equal(why(), undefined)
  t.equal(
    why(true, ({ facts }) => facts.os.id === 'debian' && Number(facts.os.version) >= 12),
    undefined,
  )
  t.equal(
    why(({ groups, vars, name }) => groups.includes('web') && vars.redis === true && name === 'web1'),
    undefined,
  )
})

t.test('where one does not, the condition is told with the facts that decided it', async t => {
  t.equal(why(false), 'false')
  // the loader of TypeScript may have put it in fewer characters
  const large = why(true, ({ facts }) => facts.ramMiB >= 4096)
  t.match(large, /^facts.ramMiB ?>= ?4096 \(ramMiB is 1928\)$/)
  const like = why(({ facts }) => facts.os.id === 'rhel' || facts.os.like.includes('rhel'))
  t.match(like, /^facts.os.id ?=== ?.rhel. ?\|\| ?.* \(os.id is debian, os.like is \)$/)
  t.match(
    why(host => host.name === 'db'),
    /^host\d*.name ?=== ?.db.$/,
  )
  t.match(
    why(function isLarge({ facts }) {
      return facts.ramMiB > 1_000_000_000_000 && 'a condition that is too long to be shown whole'.length > 3
    }),
    /^function isLarge\(.{80,90}… \(ramMiB is 1928\)$/,
  )
})

t.test('a fact that the host does not tell is not guessed', async t => {
  const unknown = (name: string) => ({ code: 'unsupported', message: new RegExp(`does not tell its ${name} `) })
  t.throws(() => why(({ facts }) => facts.os.codename === 'bookworm'), unknown('os.codename'))
  t.throws(() => why(({ facts }) => facts.machine.product.startsWith('t3.')), unknown('machine.product'))
  t.throws(() => whyUnwanted([({ facts }) => facts.cores < 1000], host, {}), unknown('cores'))
})

t.test('a condition that is wrong is an error of its author', async t => {
  const answers = JSON.parse('"yes"')
  t.throws(() => why(() => answers), { code: 'invalid-playbook', message: /`when: answers` must answer true or false/ })
  const vars: { redis?: { port: number } } = {}
  const throwing: When = () => vars.redis?.port.toFixed() === JSON.parse('{').a
  t.throws(() => why(throwing), { code: 'invalid-playbook', message: /`when: vars.redis.*` throws: / })
})
