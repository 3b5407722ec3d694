/**
 * Edited files, read by the real compose: the plugin of docker where it is installed, and Debian's docker-compose 1.29, a reader in
 * another language. Neither needs an engine for that.
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { pathsOf, type Ruled, ruledOf } from '../../modules/dockerlimits/forms.ts'
import { Params } from '../../modules/dockerlimits/params.ts'
import { decide } from '../../modules/dockerlimits/saved.ts'
import { meaningOf } from '../../modules/dockerlimits/values.ts'
import { composeText, services, sharingText } from '../modules/dockerlimits/compose-texts.ts'

const readers = [['docker', 'compose'], ['docker-compose']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
)

const skip = readers.length === 0 && 'neither docker compose nor docker-compose is installed'

const directory = await mkdtemp(join(tmpdir(), 'sak-compose-'))
t.teardown(() => rm(directory, { recursive: true }))

type Reading = { readonly code: number | null; readonly said: string; readonly data: unknown }

async function read([program = '', ...args]: readonly string[], texts: readonly string[]): Promise<Reading> {
  const paths = texts.map((_, index) => join(directory, `${index}.yml`))
  await Promise.all(texts.map((text, index) => writeFile(paths[index] ?? '', text)))
  const files = paths.flatMap(path => ['-f', path])
  const { status, stdout, stderr } = spawnSync(program, [...args, ...files, 'config'], { encoding: 'utf8' })
  return { code: status, said: stderr, data: status === 0 ? parse(stdout) : undefined }
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? Object.entries(inner).find(([name]) => name === key)?.[1]
        : undefined,
    value,
  )

/** All that a reader says but for extensions and what is ruled, as paths and words. */
function elseIn(data: unknown, ruled: readonly Ruled[]): string[] {
  const own = new Set(
    ruled.flatMap(({ service, name }) => pathsOf(name).map(path => ['services', service, ...path].join('/'))),
  )
  const walk = (value: unknown, path: readonly string[]): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => walk(inner, [...path, key]))
      : [`${path.join('/')}=${value}`]
  // what has no value at all may have become a map of limits
  return walk(data, []).filter(line => !own.has(line.split('=')[0] ?? '') && !/^x-|deploy(\/\w+)*=null$/.test(line))
}

const decided = (texts: readonly string[], wanted: object, overrides: 'report' | 'remove' = 'report') => {
  const params = Params.parse({ project: directory, services: wanted, overrides })
  const files = texts.map((content, index) => ({
    kind: 'file' as const,
    path: join(directory, `${index}.yml`),
    content,
  }))
  const decision = decide(files, params)
  return {
    blocked: decision.blocked,
    ruled: ruledOf(params),
    texts: decision.files.map(({ content }) => content ?? ''),
  }
}

function isAsRuled(t: Test, data: unknown, ruled: readonly Ruled[], text: string): void {
  for (const { service, name, value } of ruled) {
    const words = pathsOf(name).flatMap(path => at(data, ['services', service, ...path]) ?? [])
    const meanings = words.map(word => meaningOf(name, String(word)))
    t.ok(words.length > 0 && meanings.every(meaning => meaning === value), `${name} of ${service} is ${words}`, {
      text,
    })
  }
}

t.test('compose reads what we wrote, and everything else as before', { skip }, async t => {
  const texts = [...fc.sample(composeText, 15), ...fc.sample(sharingText, 12)]
  for (const reader of readers) {
    for (const text of texts) {
      const [wanted = {}] = fc.sample(services, 1)
      const edited = decided([text], wanted)
      if (edited.blocked.length > 0) continue
      const [before, after] = [await read(reader, [text]), await read(reader, edited.texts)]
      // a file that contradicted itself may have come to make sense, never the other way round
      if (before.code === 0 || after.code === 0)
        t.equal(after.code, 0, `${reader.join(' ')} takes it: ${after.said}`, { text, edited })
      if (after.code !== 0) continue
      isAsRuled(t, after.data, edited.ruled, edited.texts.join('\n'))
      if (before.code === 0)
        t.same(elseIn(after.data, edited.ruled), elseIn(before.data, edited.ruled), 'else as before', { text, edited })
    }
  }
  t.pass(`held against ${readers.map(reader => reader.join(' ')).join(', ')}`)
})

t.test('files laid over each other', { skip }, async t => {
  const base = 'services:\n  base: {image: a, mem_limit: 1g}\n  api:\n    extends: base\n    cpus: 2\n'
  const over = 'services:\n  api:\n    deploy:\n      resources: {limits: {cpus: "2"}, reservations: {memory: 1g}}\n'
  const edited = decided([base, over], { api: { memory: '850M', cpus: 1.5, memoryReservation: '512M' } }, 'remove')
  t.same(edited.blocked, [])
  for (const reader of readers) {
    const { code, said, data } = await read(reader, edited.texts)
    t.equal(code, 0, said)
    isAsRuled(t, data, edited.ruled, edited.texts.join('\n'))
  }
})
