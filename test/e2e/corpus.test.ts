/** Parsers against the real configuration files of Debian's packages: nothing crashes, no byte is lost, programs read the same. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parseConfig as logrotateConfig, withoutPatterns } from '../../modules/logrotate/parse.ts'
import { parseConfig } from '../../modules/nginxconf/parse.ts'
import { commentOut, parseAssignments } from '../../modules/sysctl/parse.ts'
import { file } from '../../src/index.ts'
import { checkPlaces } from '../modules/nginxconf/places.ts'

const corpus = await mkdtemp(join(tmpdir(), 'corpus-'))
t.teardown(() => rm(corpus, { recursive: true }))
const run = promisify(execFile)
await run(fileURLToPath(new URL('../corpus/fetch.sh', import.meta.url)), [corpus], { timeout: 300_000 })

interface Real {
  readonly path: string
  readonly text: string
}

async function realFiles(kind: string): Promise<readonly Real[]> {
  const entries = await readdir(join(corpus, kind), { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Promise.all(paths.sort().map(async path => ({ path, text: await readFile(path, 'utf8') })))
}

/** What the check says against each text. */
function faults(texts: readonly Real[], check: (text: string) => void): readonly string[] {
  return texts.flatMap(({ path, text }) => {
    try {
      check(text)
      return []
    } catch (error) {
      return [`${path.slice(corpus.length)}: ${String(error)}`]
    }
  })
}

/** The configurations of a file of Test::Nginx that nginx itself was started with. */
function testConfigs({ path, text }: Real): readonly Real[] {
  const started = text.split(/^(?==== )/m).filter(test => !/^--- must_die/m.test(test))
  const sections = started.flatMap(test => test.split(/^(?=--- )/m))
  return sections
    .filter(section => /^--- (http_|main_|stream_)?config *\n/.test(section))
    .map((section, index) => ({ path: `${path} ${index}`, text: section.slice(section.indexOf('\n') + 1) }))
}

t.test('nginx: files that packages ship', async t => {
  const files = await realFiles('nginx')
  t.ok(files.length >= 50, `${files.length} files`)
  t.same(faults(files, checkPlaces), [])
})

t.test('nginx: configurations of its modules, from their tests', async t => {
  const configs = (await realFiles('nginx-tests')).flatMap(testConfigs)
  t.ok(configs.length >= 2000, `${configs.length} configurations`)
  t.same(faults(configs, checkPlaces), [])
  const broken = configs.flatMap(({ path, text }) => {
    const { error } = parseConfig(text)
    return error ? [`${path}: line ${error.line}: ${error.message}`] : []
  })
  t.same(broken, [])
})

/** Which logs logrotate itself would rotate, stanza by stanza, and how many of each it keeps. */
async function asLogrotate(text: string): Promise<readonly string[]> {
  // users that are not on this machine, and a debug run that makes directories, would stand in the way
  const neutral = text
    .replaceAll(/^([ \t]*(?:su|create(?:[ \t]+\d+)?)[ \t]+)\S+[ \t]+\S+/gm, '$1root root')
    .replaceAll(/^[ \t]*createolddir.*$/gm, '')
  const config = join(corpus, 'logrotate.conf')
  await writeFile(config, neutral, { mode: 0o644 })
  // its exit code tells of logs that are missing
  const { stderr } = spawnSync('logrotate', ['-d', '-s', join(corpus, 'state'), config], { encoding: 'utf8' })
  const stanzas = stderr.matchAll(
    /^rotating pattern: ([^(]+?)\s+(?:after \d+ days|\d+ bytes|\w+ly)\b[^(\n]*\((.*)\)$/gm,
  )
  return [...stanzas].map(([, logs = '', kept]) => `${logs.replaceAll('"', '').trim().split(/\s+/).join(' ')}: ${kept}`)
}

t.test('logrotate: stanzas are those that logrotate sees', async t => {
  const files = await realFiles('logrotate')
  t.ok(files.length >= 150, `${files.length} files`)
  for (const { path, text } of files) {
    const { stanzas, globals } = logrotateConfig(text)
    const keep = (directives: typeof globals) => directives.findLast(({ name }) => name === 'rotate')?.value
    const read = stanzas.map(({ patterns, directives }) => {
      const kept = keep(directives) ?? keep(globals) ?? '0'
      const rotations = kept === '0' ? 'no old logs will be kept' : `${kept} rotations`
      return `${patterns.map(({ glob }) => glob).join(' ')}: ${rotations}`
    })
    t.same(read, await asLogrotate(text), path.slice(corpus.length))
    for (const stanza of stanzas) {
      const left = logrotateConfig(withoutPatterns(text, stanza, stanza.patterns))
      const globs = (list: typeof stanzas) => list.map(({ patterns }) => patterns.map(({ glob }) => glob))
      t.same(globs(left.stanzas), globs(stanzas.filter(other => other !== stanza)), 'taking one away leaves the others')
    }
  }
})

t.test('sysctl: assignments, and what is left when they are commented out', async t => {
  const files = await realFiles('sysctl')
  t.ok(files.length >= 5, `${files.length} files`)
  for (const { path, text } of files) {
    const assignments = parseAssignments(file(path, text))
    const meant = text.split('\n').filter(line => /^-?[\w./*-]+\s*=/.test(line))
    t.equal(assignments.length, meant.filter(line => !line.includes('*')).length, path.slice(corpus.length))
    const without = commentOut(text, new Set(assignments.map(({ line }) => line)))
    t.same(parseAssignments(file(path, without)), [])
    t.equal(without.replaceAll(/^# (?=-?[\w./-]+\s*=)/gm, ''), text.replaceAll(/^# (?=-?[\w./-]+\s*=)/gm, ''))
  }
})
