/** Reports, held against the programs that will read them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import type { Report } from '../../src/core/report.ts'
import { junitReport } from '../../src/reports/junit.ts'
import { prometheusReport } from '../../src/reports/prometheus.ts'
import { messyReport } from '../reports/messy-report.ts'
import { drift, error, host, report, task, written } from '../reports/run-events.ts'

const folder = t.testdir({})

t.before(() => {
  const script = fileURLToPath(new URL('report-tools.sh', import.meta.url))
  execFileSync('env', ['-u', 'NODE_OPTIONS', script, folder], { stdio: ['ignore', 'inherit', 'inherit'] })
})

/** Reports of hosts and tasks with any names, and errors and values with any text. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 })
const anyReport = fc
  .array(fc.tuple(anyText, anyText, anyText), { minLength: 1, maxLength: 30 })
  .map(texts =>
    report(
      texts.map(([name, label, said], index) =>
        host(`${index}${name}`, [
          drift({ label, changes: [{ key: said, before: said, after: name }] }),
          task({ label: `${label}2`, status: 'failed', error: error({ message: said, said, hint: name }) }),
        ]),
      ),
    ),
  )

t.test('JUnit: as the schema of Jenkins has it', async t => {
  const isValid = async (given: Report) => {
    const path = join(folder, 'junit.xml')
    await writeFile(path, written(given, junitReport))
    return spawnSync('xmllint', ['--noout', '--schema', join(folder, 'jenkins-junit.xsd'), path], { encoding: 'utf8' })
  }
  const { status, stderr } = await isValid(messyReport)
  t.equal(status, 0, stderr)
  await writeFile(join(folder, 'no.xml'), '<testsuites><testcase/></testsuites>')
  t.not(spawnSync('xmllint', ['--schema', join(folder, 'jenkins-junit.xsd'), join(folder, 'no.xml')]).status, 0)
  await fc.assert(
    fc.asyncProperty(anyReport, async given => (await isValid(given)).status === 0),
    { numRuns: 30 },
  )
})

t.test('Prometheus: as its own tool reads it', async t => {
  const check = (input: string) =>
    spawnSync(join(folder, 'promtool'), ['check', 'metrics'], { input, encoding: 'utf8' })
  const metrics = (given: Report) => written(given, write => prometheusReport({ write }))
  t.match(check(metrics(messyReport)), { status: 0, stdout: '', stderr: '' })
  t.not(check('sak{host="a\nb"} 1\n').status, 0)
  fc.assert(
    fc.property(anyReport, given => check(metrics(given)).status === 0),
    { numRuns: 30 },
  )
})
