// Asks Ansible itself, and compares with what fixtures/inventory has recorded of it.
// RECORD=1 writes the records anew: RECORD=1 node --import=tsx --conditions=sak-source test/e2e/ansible-inventory.test.ts
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import t from 'tap'
import {
  type InventoryCase,
  inventoryCases,
  isObject,
  readAnsibleView,
  triedPatterns,
} from '../loading/inventory-fixtures.ts'

const run = promisify(execFile)
const limit = pLimit(8)
t.setTimeout(600_000) // each call of Ansible takes a second or more
const isRecording = process.env.RECORD === '1'

const home = t.testdir({ 'ansible.cfg': '[defaults]\n' })

/** Nothing of this machine's Ansible configuration may count; the working directory is the case's own, as in our test. */
async function ansible(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    LC_ALL: 'C.UTF-8',
    ANSIBLE_CONFIG: join(home, 'ansible.cfg'),
    ANSIBLE_LOCAL_TEMP: join(home, 'tmp'),
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '1',
    ANSIBLE_DEPRECATION_WARNINGS: '0',
    ANSIBLE_NOCOLOR: '1',
  }
  return (await run(command, [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 })).stdout
}

const withSources = ({ sources }: InventoryCase) => sources.flatMap(source => ['-i', source])

async function listed(one: InventoryCase): Promise<Record<string, unknown>> {
  const list: unknown = JSON.parse(await ansible('ansible-inventory', [...withSources(one), '--list'], one.directory))
  if (!isObject(list)) throw new Error('ansible-inventory printed no mapping')
  return list
}

async function matched(one: InventoryCase, pattern: string): Promise<string[]> {
  const said = await ansible('ansible', [...withSources(one), pattern, '--list-hosts'], one.directory)
  return said
    .split('\n')
    .slice(1)
    .map(line => line.trim())
    .filter(line => line !== '')
    .sort()
}

async function keep(path: string, value: unknown): Promise<unknown> {
  if (isRecording) await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
  return JSON.parse(await readFile(path, 'utf8'))
}

const installed = await run('ansible-inventory', ['--version']).then(
  () => true,
  () => false,
)

t.test(
  'what is recorded is what Ansible says',
  { skip: installed ? false : 'ansible-core is not installed', timeout: 600_000 },
  async t => {
    const cases = await inventoryCases()
    await Promise.all(
      cases.map(one =>
        limit(async () => {
          const view = readAnsibleView(await listed(one))
          t.strictSame(view, await keep(join(one.directory, 'expected.json'), view), one.name)
        }),
      ),
    )
    const patterns = cases.find(one => one.name === 'patterns')
    if (!patterns) throw new Error('no case for patterns')
    const found = await Promise.all(
      triedPatterns.map(pattern => limit(async () => [pattern, await matched(patterns, pattern)] as const)),
    )
    const view = Object.fromEntries(found)
    t.strictSame(view, await keep(join(patterns.directory, 'expected-patterns.json'), view), 'patterns')
  },
)
