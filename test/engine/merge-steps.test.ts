import fc from 'fast-check'
import t from 'tap'
import { daemonReload, describeStep, run, type Step, service, waitFor, write } from '../../src/core/step.ts'
import { mergeSteps } from '../../src/engine/merge-steps.ts'

const file = (path: string): Step => write({ kind: 'file', path, content: path })
const check = run(['nginx', '-t'], { undo: 'resumable' })
const once = run(['charge', 'card'], { undo: 'none' })
const wait = waitFor(['curl', 'localhost'])
const lines = (...lists: Step[][]) =>
  mergeSteps(lists).map(({ step, owners }) => `${describeStep(step)} ${owners.join('')}`)

t.test('a service is activated once, by the greatest action, when all files are in place', async t => {
  const a = [file('a'), check, service('nginx', 'reload'), wait]
  const b = [file('b'), check, service('nginx', 'restart'), waitFor(['other'])]
  t.same(lines(a, b), [
    'write a 0',
    'write b 1',
    'run nginx -t 01',
    'service restart nginx 01',
    'waitFor curl localhost 0',
    'waitFor other 1',
  ])
  t.same(lines(a, b, [file('c'), service('nginx', 'reload'), wait]).slice(2), [
    'run nginx -t 01',
    'write c 2',
    'service restart nginx 012',
    'waitFor curl localhost 02',
    'waitFor other 1',
  ])
})

t.test('nothing is drawn before a program that leaves what it may build on', async t => {
  const useradd = run(['useradd', 'app'], { undo: [], leaves: [{ kind: 'file', path: '/etc/passwd', content: 'app' }] })
  t.same(lines([file('a'), useradd], [file('b'), once], [check]), [
    'write a 0',
    'run useradd app 0',
    'write b 1',
    'run charge card 1',
    'run nginx -t 2',
  ])
  t.same(lines([file('a'), once], [file('b')]), ['write a 0', 'write b 1', 'run charge card 0'])
})

t.test('files and their trials come before any service is touched', async t => {
  const a = [file('a'), service('a', 'restart'), file('record')]
  t.same(lines(a, [file('b'), check, service('b', 'reload')]), [
    'write a 0',
    'write b 1',
    'run nginx -t 1',
    'service restart a 0',
    'write record 0',
    'service reload b 1',
  ])
})

t.test('what is not the same stays apart', async t => {
  t.same(lines([service('a', 'reload')], [service('b', 'reload')]), ['service reload a 0', 'service reload b 1'])
  t.same(
    lines([once], [once]),
    ['run charge card 0', 'run charge card 1'],
    'what is not safe to do again is not merged',
  )
  t.same(lines([file('a')], [file('a')]), ['write a 0', 'write a 1'])
  t.same(lines([service('a', 'stop')], [service('a', 'start')]), ['service stop a 0', 'service start a 1'])
  t.same(lines([service('a', 'start')], [service('a', 'reload')]), ['service start a 0', 'service reload a 1'])
  t.same(lines([service('a', 'start')], [service('a', 'restart')]), ['service restart a 01'])
  t.same(lines([service('a', 'reload')], [service('a.service', 'reload')]), ['service reload a 01'], 'one unit')
  t.same(lines([service('a.socket', 'restart')], [service('a', 'restart')]).length, 2)
  t.same(lines([daemonReload()], [daemonReload()]), ['service daemon-reload 01'])
  t.same(lines([wait], [waitFor(['curl', 'localhost'], { within: '1s' })]).length, 2)
})

t.test('each task keeps its own steps, in their order', async t => {
  const names = ['x', 'y', 'z']
  const step = fc.oneof(
    fc.constantFrom(...names).map(file),
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom('reload', 'restart', 'start', 'stop'))
      .map(([name, action]) => service(name, action)),
    fc.constantFrom(check, once, wait),
  )
  /** What stands for a step wherever it went: a merged activation may be a greater one. */
  const key = (each: Step) =>
    each.kind === 'service' && each.action !== 'stop' ? `activate ${each.name}` : describeStep(each)
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 4 }), lists => {
      const merged = mergeSteps(lists)
      lists.forEach((list, index) => {
        const own = merged.filter(({ owners }) => owners.includes(index)).map(each => each.step)
        t.same(own.map(key), list.map(key))
      })
      t.ok(merged.every(({ owners }) => owners.length > 0))
    }),
    { numRuns: 300 },
  )
})
