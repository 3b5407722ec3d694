/** Compose files and limits, made at random. */
import fc from 'fast-check'

/** A line of a service: how deep it stands below the service's own keys, and its text. */
type Line = readonly [number, string]
const lines = (...all: Line[]) => all

const others = fc.shuffledSubarray([
  lines([0, 'image: "shop/api:1.4"   # pinned']),
  lines([0, 'command: |'], [1, 'run "$1"'], [1, ''], [2, '# no comment'], [1, 'deploy: no']),
  lines([0, 'environment:'], [0, '- A=$' + '{B:-c}'], [0, '- "memory: 1G"']),
  lines([0, 'labels: {a: b, # c'], [2, 'c: d}']),
  lines([0, '# a remark'], [0, 'ports:'], [1, '- "80:80"']),
  lines([0, ''], [0, "user: 'é'"]),
  lines([0, 'healthcheck:'], [1, 'test: >-'], [2, 'curl'], [2, 'localhost'], [0, '']),
])
const size = fc.constantFrom('1g', '512M', '"256mb"', "'1.5GiB'", '1073741824b', '850M', '!!str 1g')
const cpus = fc.constantFrom('1', '"1.50"', "'0.25'", '2.0')
const remark = fc.constantFrom('', ' # why', '   #why')
const own = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('mem_limit', 'mem_reservation'), size, remark),
    fc.tuple(fc.constant('cpus'), cpus, remark),
    fc.tuple(fc.constantFrom('mem_limit', 'cpus'), fc.constantFrom('', '~', 'null'), remark),
  ),
  { maxLength: 3 },
)
const ownLines = own.map(entries => {
  const byKey = new Map(entries.map(entry => [entry[0], entry]))
  return [...byKey.values()].map(([key, value, after]) => lines([0, `${key}: ${value}${after}`]))
})
const deploy = fc.oneof(
  fc.constant([]),
  fc
    .constantFrom('deploy:', 'deploy: # none', 'deploy: {}', 'deploy: { replicas: 1 }', 'deploy: ~')
    .map(text => [lines([0, text])]),
  fc
    .tuple(size, cpus, remark)
    .map(([memory, processors, after]) => [
      lines(
        [0, 'deploy:'],
        [1, '# small'],
        [1, 'resources:'],
        [2, 'limits:'],
        [3, `memory: ${memory}${after}`],
        [3, `cpus: ${processors}`],
      ),
    ]),
  fc
    .tuple(size, remark)
    .map(([memory, after]) => [
      lines(
        [0, `deploy:${after}`],
        [1, `resources: {reservations: {memory: ${memory}}}${after}`],
        [1, 'restart_policy:'],
        [2, 'condition: any'],
      ),
    ]),
  fc
    .tuple(size)
    .map(([memory]) => [
      lines(
        [0, 'deploy:'],
        [1, 'resources:'],
        [2, 'limits: { memory: &m'],
        [4, `${memory} , pids: 3 }`],
        [2, 'reservations:'],
      ),
    ]),
)
const body = fc
  .tuple(others, ownLines, deploy)
  .chain(all => fc.shuffledSubarray(all.flat(), { minLength: all.flat().length }))

/** A compose file with the services `api` and `db`, as people write them, without anchors. */
export const composeText = fc
  .record({
    step: fc.constantFrom(1, 2, 4),
    eol: fc.constantFrom('\n', '\r\n'),
    last: fc.constantFrom('', '\n', '\n\n', '\n# end\n'),
    head: fc.constantFrom('', '# top\n', 'version: "3.8"\n\n', 'name: shop\n', '---\n'),
    api: body,
    db: body,
  })
  .map(({ step, eol, last, head, api, db }) => {
    const block = (name: string, all: readonly (readonly Line[])[]) => [
      `${' '.repeat(step)}${name}:`,
      `${' '.repeat(step * 2)}hostname: ${name}`,
      ...all.flat().map(([depth, text]) => (text === '' ? '' : ' '.repeat(step * (depth + 2)) + text)),
    ]
    const text = `${head}services:\n${[...block('api', api), ...block('db', db)].join('\n')}${last}`
    return text.replaceAll('\n', eol)
  })

const shared = fc.constantFrom(
  'x-a: &a {resources: {limits: {memory: 1g}}}',
  'x-a: &a {resources: {limits: {cpus: "1"}}, labels: {b: c}}',
  'x-a: &a\n  replicas: 1',
)
const sharing = fc.constantFrom(
  'deploy: *a',
  'deploy:\n      <<: *a',
  '<<: *b',
  '<<: [*b, *c]',
  'mem_limit: *m',
  'mem_limit: 1g',
  '',
)

/** A compose file whose services share what they say by anchors and merges. */
export const sharingText = fc.tuple(shared, sharing, sharing).map(([a, api, db]) => {
  const merged = 'x-b: &b {user: u, deploy: *a}\nx-c: &c {deploy: {replicas: 1}, mem_limit: 512m}\nx-m: &m 256M\n'
  return `${a}\n${merged}services:\n  api:\n    image: a\n    ${api}\n  db:\n    image: b # theirs\n    ${db}\n`
})

const limits = fc
  .record(
    {
      memory: fc.constantFrom('850M', '1G', '1536M', '10.5M'),
      cpus: fc.constantFrom(0.5, 1, 1.5),
      memoryReservation: fc.constantFrom('64M', '512M'),
      cpuReservation: fc.constant(0.25),
    },
    { requiredKeys: [] },
  )
  .filter(found => Object.keys(found).length > 0)
  .map(found => (found.memory === '10.5M' ? { ...found, memoryReservation: '10M' } : found))
/** What a task may rule of them. */
export const services = fc.record({ api: limits, db: limits }, { requiredKeys: ['api'] })
