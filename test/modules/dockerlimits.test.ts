import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { dockerlimits, file } from 'sak-reconcile/modules'
import { brokenLaws, FakeHostState, fakeFacts, fakeHost, runCases } from 'sak-reconcile/testing'
import t from 'tap'
import { z } from 'zod'
import { asked } from '../../modules/dockerlimits/engine.ts'
import { composeFileOf } from '../../modules/dockerlimits/files.ts'
import { guide, Params } from '../../modules/dockerlimits/params.ts'
import { decide } from '../../modules/dockerlimits/saved.ts'
import { bytesOfSize, meaningOf, sizeText } from '../../modules/dockerlimits/values.ts'
import { advise } from '../../src/core/advise.ts'
import { budgetOf, isOver } from '../../src/core/budget.ts'
import { factsOf } from '../../src/core/facts.ts'
import { definePlaybook, isSakError, type Step, type Task } from '../../src/index.ts'

const cases = await runCases(fileURLToPath(new URL('../../fixtures/dockerlimits', import.meta.url)), dockerlimits)
const stepsOf = (wanted: string): readonly Step[] => {
  const { assessment } = cases.find(({ name }) => name === wanted) ?? {}
  if (!assessment) throw new Error(`no case ${wanted}`)
  return assessment.steps
}
const host = { name: 'web1', groups: [], vars: {} }
const folder = fileURLToPath(new URL('../../fixtures/dockerlimits', import.meta.url))
const CaseFile = z.object({ host: FakeHostState })
const hostOf = async (name: string) =>
  fakeHost(CaseFile.parse(JSON.parse(await readFile(`${folder}/${name}/case.json`, 'utf8'))).host)
const writtenIn = (name: string) => stepsOf(name).flatMap(step => (step.kind === 'write' ? [step.content] : []))

t.test('cases', async t => {
  t.ok(cases.length >= 50)
  for (const { name, expected, found, left } of cases) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: no law is broken`)
  }
})

t.test('the files are as people would write them', async t => {
  t.same(writtenIn('stock'), [
    `# the shop
services:
  api:
    image: shop/api:1.4 # pinned
    restart: unless-stopped
    deploy:
      resources:
        limits:
          memory: 850M
          cpus: '1.5'
        reservations:
          memory: 512M

  db:
    image: postgres:15
`,
  ])
  t.match(writtenIn('both-forms-that-contradict'), [/mem_limit: 850M # old\n.*limits: { cpus: '1.5', memory: 850M }/s])
  t.match(writtenIn('flow-style'), [
    /^services: \{api: \{deploy: \{ resources: .* \}, image: a\}, db: \{image: b\}\}\n$/,
  ])
  t.match(writtenIn('crlf-and-no-last-newline'), [/memory: 850M\r\n(?:.*\r\n)*\r\n {2}db:\r\n {4}image: postgres:15$/])
  t.match(writtenIn('merged-deploy-without-limits'), [/image: a\n {4}mem_limit: 850M\n {4}cpus: 1.5\n/])
  t.match(writtenIn('value-by-an-alias'), [/x-m: &m 512M\n.*mem_limit: 850M\n.*mem_limit: \*m\n/s])
  t.match(writtenIn('override-file-removed'), [/^# the shop/, /# for the big box\n {4}deploy: .*memory: 850M/])
})

t.test('what is done to a container, and how it goes back', async t => {
  const done = (name: string) =>
    stepsOf(name).flatMap(step =>
      step.kind === 'run' && Array.isArray(step.undo) ? [[step.argv, step.undo[0]?.argv.slice(7)]] : [],
    )
  const limitsBefore = (name: string) =>
    stepsOf(name).flatMap(step => (step.kind === 'run' && Array.isArray(step.undo) ? [step.undo[0]?.argv[5]] : []))
  const update = (flags: string, name = 'app-api-1') => ['docker', 'update', ...flags.split(' '), name]
  t.same(done('running-only'), [
    [update('--memory 891289600 --memory-swap 1782579200'), update('--memory 1073741824 --memory-swap 2147483648')],
  ])
  const wanted = '--memory 891289600 --memory-swap 1782579200 --cpus 1.5 --memory-reservation 536870912'
  const all = '--memory 2021654528 --memory-swap -1 --cpus 2 --memory-reservation'
  t.same(done('stock'), [[update(wanted), update(`${all} 6291456`)]], 'from no limit: back to all that the host has')
  t.same(limitsBefore('stock'), ['0 0 0 0'], 'where it is as it was, nothing is done')
  t.same(limitsBefore('running-only'), ['1073741824 2147483648 536870912 1500000000'])
  t.same(done('control-groups-1'), [[update(wanted), update(`${all} 2021654528`)]])
  t.same(done('several-replicas').length, 1, 'the other one is in sync')
  t.match(done('swap-without-limit'), [[/.*/, update('--memory 1073741824 --memory-swap -1')]])
  t.match(
    done('swap-by-the-file')[0]?.[0],
    update('--memory 891289600 --memory-swap 891289600 --cpus 1.5 --memory-reservation 536870912'),
  )
})

t.test('places are those on the host, also where something is added above', async t => {
  const content = 'services:\n  api:\n    image: a\n  web:\n    mem_limit: $A\n    cpu_quota: 1000\n    scale: 3\n'
  const services = { api: { memory: '1G', cpus: 1 }, web: { memory: '1G', cpus: 1 } }
  const { blocked } = decide(
    [{ kind: 'file', path: '/a/b.yml', content }],
    Params.parse({ file: '/a/b.yml', services }),
  )
  t.same(
    blocked.map(({ message }) => message.split(' ')[0]),
    ['/a/b.yml:6:', '/a/b.yml:7:', '/a/b.yml:5:'],
  )
})

t.test('the file is tried before it is in its place', async t => {
  const validated = stepsOf('listed-files').flatMap(step => (step.kind === 'write' ? [step.validate?.argv] : []))
  t.same(validated, [
    ['docker', 'compose', '--project-directory', '/srv/app', '-f', '{}', '-f', '/srv/app/b.yml', 'config', '--quiet'],
  ])
})

t.test('laws hold where the engine does what it is told', async t => {
  const task = dockerlimits({ project: '/srv/app', services: { api: { memory: '850M', cpus: 1.5 } } })
  const container = (memory: number, swap: number, nanoCpus: number) =>
    `${JSON.stringify({ id: 'f'.repeat(64), name: '/app-api-1', state: 'running', service: 'api', files: '/srv/app/compose.yml', directory: '/srv/app', oneOff: 'False', memory, swap, memoryReservation: 0, nanoCpus, quota: 0, period: 0 })}\n`
  const commands = (stdout: string) => [
    { argv: [...asked.version], stdout: 'Docker version 28.2.2, build e6534b4\n' },
    { argv: [...asked.compose], stdout: '2.36.2\n' },
    { argv: [...asked.machine], stdout: '2 2021654528 2\n' },
    { argv: [...asked.containers], stdout },
  ]
  const host = {
    files: { '/srv/app/compose.yml': 'services:\n  api:\n    image: a\n' },
    commands: commands(container(0, 0, 0)),
  }
  const does = (step: Step) => {
    const [, verb, , memory, , swap, , cpus] = step.kind === 'run' ? step.argv : []
    t.equal(verb, 'update')
    return { ...host, files: written, commands: commands(container(Number(memory), Number(swap), Number(cpus) * 1e9)) }
  }
  const { steps } = await task.assess(fakeHost(host))
  const written = Object.fromEntries(steps.flatMap(step => (step.kind === 'write' ? [[step.path, step.content]] : [])))
  t.same(await brokenLaws(task, host, { does }), [])
})

t.test('sizes and processors, as compose reads them', async t => {
  const same = { '850M': 891289600, '850mb': 891289600, '1.5g': 1610612736, '1GiB': 1073741824, '0.5 GB': 536870912 }
  for (const [text, bytes] of Object.entries(same)) t.equal(bytesOfSize(text), bytes, text)
  for (const text of ['', '1e9', '-1', 'lots', '1 0', '1x']) t.equal(bytesOfSize(text), undefined, text)
  t.equal(meaningOf('cpus', '1.50'), 1.5)
  t.equal(meaningOf('cpus', 'all'), undefined)
  fc.assert(fc.property(fc.nat(2 ** 40), bytes => bytesOfSize(sizeText(bytes)) === bytes))
})

t.test('COMPOSE_FILE', async t => {
  t.same(composeFileOf('A=1\nCOMPOSE_FILE=a.yml:b.yml\n'), ['a.yml', 'b.yml'])
  t.same(composeFileOf('export COMPOSE_FILE = "a b.yml" # x\r\n'), ['a b.yml'])
  t.same(composeFileOf("COMPOSE_FILE='a.yml;b.yml'\nCOMPOSE_PATH_SEPARATOR=;\n"), ['a.yml', 'b.yml'])
  for (const text of ['', '# COMPOSE_FILE=a', 'COMPOSE_FILE=', 'MY_COMPOSE_FILE=a'])
    t.equal(composeFileOf(text), undefined)
})

t.test('params', async t => {
  const message = (params: unknown) => {
    try {
      dockerlimits.parse(params)
    } catch (error) {
      if (isSakError(error) && error.code === 'invalid-params') return error.message
      throw error
    }
    return undefined
  }
  const api = { memory: '850M' }
  t.equal(message({ project: '/srv/app', services: { api, db: 'postgresql' } }), undefined)
  t.equal(message({ file: ['/srv/a.yml', '/srv/b.yml'], services: { api } }), undefined)
  t.match(message({ services: { api } }), /one of project and file/)
  t.match(message({ project: '/a', file: '/a/b.yml', services: { api } }), /one of project and file/)
  t.match(message({ project: '/a', services: {} }), /one service at least/)
  t.match(message({ project: '/a', services: { api: {} } }), /one at least of memory, cpus/)
  t.match(message({ project: '/a', services: { api: { memory: '5M' } } }), /6M or more/)
  t.match(message({ project: '/a', services: { api: { memory: '850MB' } } }), /expected a size/)
  t.match(
    message({ project: '/a', services: { api: { memory: '10M', memoryReservation: '11M' } } }),
    /no more than memory/,
  )
  t.match(message({ project: '/a', services: { api: { cpus: 0 } } }), /0.01 or more/)
  t.match(message({ project: '/a', services: { api: 'redis' } }), /"backend", "postgresql", "frontend" or "nginx"/)
  t.match(message({ project: '/a', services: { 'a b': api } }), /name of a service/)
})

t.test('who else rules the file is named when the playbook loads', async t => {
  const limits = (services: object, where: object = { project: '/srv/app' }) =>
    dockerlimits.parse({ ...where, services }, { label: JSON.stringify([services, where]) })
  const api = limits({ api: { memory: '1G' } })
  const load = (...list: Task[]) => definePlaybook({ name: 'shop', tasks: () => list })().tasksFor(host)
  t.equal(load(api, limits({ db: { memory: '1G' } })).length, 2)
  const inFile = { file: '/srv/app/compose.yml' }
  t.throws(() => load(api, limits({ api: { cpus: 1 } }, inFile)), /the limits of api of \/srv\/app\/compose.yml/)
  t.throws(() => load(api, file({ path: '/srv/app/docker-compose.yml', content: '' })), /docker-compose.yml/)
})

t.test('the guide counts in the budget', async t => {
  const services = { api: 'backend', db: 'postgresql', web: 'frontend', proxy: 'nginx' } as const
  const footprint = dockerlimits({ project: '/srv/app', services }).footprint?.(fakeFacts({ ramMiB: 1928 }))
  t.equal(footprint?.MiB, 1024 + 512 + 128 + 64)
  const box = factsOf({ ramMiB: 1928 })
  const isOverWith = (api: 'backend' | { memory: '850M' }) => {
    const budget = budgetOf([dockerlimits({ project: '/srv/app', services: { ...services, api } })], box)
    return budget && isOver(budget)
  }
  t.equal(isOverWith('backend'), true, 'the upper numbers of the guide are more than its box has')
  t.equal(isOverWith({ memory: '850M' }), false, "with the lower end of the guide's own range they fit")
  t.same(Object.keys(guide).sort(), ['backend', 'frontend', 'nginx', 'postgresql'])
  const two = dockerlimits({ project: '/a', services: { api: { memory: '100M', replicas: 2 }, db: { cpus: 1 } } })
  t.match(two.footprint?.(fakeFacts({})), { MiB: 200, what: 'api: 2 x 100; db: has no limit, and is not counted' })
})

t.test('advice', async t => {
  const adviceOn = (services: Record<string, object>) => {
    const tasks = [dockerlimits.parse({ project: '/a', services })]
    return advise({ tasks, whole: tasks, known: { ramMiB: 1928, cores: 2 }, budget: undefined, silence: {} }).advice
  }
  t.match(adviceOn({ api: { cpuReservation: 0.5 } }), [{ id: 'cpu-reservation-unheeded', message: /^api: / }])
  t.match(adviceOn({ api: { memoryReservation: '1G', replicas: 2 } }), [
    { id: 'reservations-above-memory', message: /memory of 2G .* has 1928M/ },
  ])
  t.same(adviceOn({ api: { memory: '1G', memoryReservation: '1G', cpus: 2 } }), [])
})

t.test('a host is adopted as it is', async t => {
  const found = (name: string) => hostOf(name).then(host => dockerlimits.adopt?.(host))
  t.same(await found('in-sync'), [
    {
      file: '/srv/app/docker-compose.yml',
      services: { api: { memory: '850M', cpus: 1.5, memoryReservation: '512M' } },
    },
  ])
  t.same(await found('stock'), 'no compose file of a container sets a limit')
  t.same(await found('not-started'), 'there are no containers of compose')
  t.match(await found('several-replicas'), [{ services: { api: { replicas: 2 } } }])
  await t.rejects(found('engine-down'), { code: 'refused' })
  await t.rejects(found('without-docker'), { code: 'not-installed' })
  const [adopted] = (await found('several-replicas')) ?? []
  const { changes, blocked } = await dockerlimits.parse(adopted).assess(await hostOf('in-sync'))
  t.same([changes, blocked.map(({ code }) => code)], [[], []], 'and is a task that takes the same file')
})
