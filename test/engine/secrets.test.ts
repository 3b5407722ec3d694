import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { file, sha256Of } from '../../src/core/file.ts'
import { defineModule } from '../../src/core/module.ts'
import { escapeSecrets, SecretString, secret, secretsIn } from '../../src/core/secret.ts'
import { type Command, run, type Step, waitFor, write } from '../../src/core/step.ts'
import { openVault, type Vault } from '../../src/core/vault.ts'
import { applyHost } from '../../src/engine/apply.ts'
import { batchReads } from '../../src/engine/batch.ts'
import { runHost } from '../../src/engine/host.ts'
import { look } from '../../src/engine/look.ts'
import { planHost } from '../../src/engine/plan-host.ts'
import { plannedHost, refuseOther } from '../../src/engine/reviewed.ts'
import { sealedReader, sealedTask } from '../../src/engine/secrets.ts'
import { shellConnection, shells } from './shell.ts'

const password = secret.env('SAK_ENGINE_PASSWORD')
const canary = `c4nary'"\\ $x`
const vaultOf = (value: string) => openVault(new Map([...secretsIn(String(password))].map(id => [id, value])))
const me = userInfo().username

/** Keeps a JSON file, and may run more steps when that changes. */
const settings = (more: readonly Step[] = [], reads: (path: string) => Command[] = () => []) =>
  defineModule({
    name: 'settings',
    description: 'Keeps settings.',
    params: z.strictObject({ path: z.string(), password: SecretString }),
    impact: 'none',
    owns: ({ path }) => [path],
    check: async (host, { path, password }) => {
      for (const { argv, ...options } of reads(path)) await host.command(argv, options)
      return {
        current: { saved: await host.file(path) },
        desired: {
          saved: {
            kind: 'file',
            path,
            mode: '0600',
            content: escapeSecrets(JSON.stringify({ password }), 'json'),
          } as const,
        },
      }
    },
    apply: ({ saved }) => [saved && write(saved.after), ...more],
  })

function hostWith(secrets: Vault, shell: readonly string[] = ['dash']) {
  const connection = shellConnection(shell)
  const freshReader = () => sealedReader(batchReads(connection, { deadlineMs: 60_000 }), secrets)
  return { connection, freshReader, secrets }
}

const options = { allow: 'data', runId: 'sak-test' } as const

for (const shell of shells) {
  t.test(`a secret is written, found again, and seen to be another, under ${shell.join(' ')}`, async t => {
    const path = join(t.testdir({}), 'settings.json')
    const tasks = (secrets: Vault) => [sealedTask(settings()({ path, password }), secrets)]
    const first = vaultOf(canary)
    t.match(await applyHost(hostWith(first, shell), tasks(first), options), { results: [{ status: 'changed' }] })
    t.equal(await readFile(path, 'utf8'), JSON.stringify({ password: canary }))
    t.match(await planHost(hostWith(first, shell), tasks(first), options), { results: [{ status: 'ok' }] })
    const second = vaultOf('an0ther-Value')
    t.match(await planHost(hostWith(second, shell), tasks(second), options), { results: [{ status: 'drift' }] })
  })
}

const reportOf = async (path: string, secrets: Vault, task = settings()) => {
  const host = {
    name: 'web1',
    tasks: [task({ path, password })],
    work: look('web1', options),
    deadlineMs: 60_000,
    secrets,
  }
  return (await runHost(host, async () => shellConnection())).report
}

t.test('the report of a change shows neither the secret that is to be nor the one that was', async t => {
  const old = 'old-Passw0rd'
  const path = join(t.testdir({ 'settings.json': JSON.stringify({ password: old }) }), 'settings.json')
  const report = JSON.stringify(await reportOf(path, vaultOf(canary)))
  t.notMatch(report, old)
  t.notMatch(report, 'c4nary')
  t.match(report, '<secret env SAK_ENGINE_PASSWORD>')
  t.match(report, '<not shown>')
})

t.test('a secret where others on the host could see it blocks the task before anything runs', async t => {
  const path = join(t.testdir({}), 'settings.json')
  const seen: Record<string, Step> = {
    argv: run(['curl', '-H', `Token: ${password}`, 'http://127.0.0.1/'], { undo: 'none' }),
    environment: run(['true'], { undo: 'none', env: { TOKEN: String(password) } }),
    undo: run(['true'], { undo: [{ argv: ['true', String(password)] }] }),
    title: run(['true'], { undo: 'none', title: `log in with ${password}` }),
    wait: waitFor(['true'], { output: String(password) }),
    path: write(file(`/tmp/${password}`, 'x')),
    validation: write(file('/tmp/x', 'x'), { validate: { argv: ['grep', String(password), '{}'] } }),
  }
  for (const [name, step] of Object.entries(seen)) {
    const report = await reportOf(path, vaultOf(canary), settings([step]))
    const error = {
      code: 'refused',
      message: /env SAK_ENGINE_PASSWORD\) would be seen by others/,
      hint: /standard input/,
    }
    t.match(report.tasks, [{ status: 'blocked', error, steps: [] }], name)
  }
  const open = write({ kind: 'file', path: `${path}.open`, content: `x ${password}` })
  const readable = [open, { ...open, mode: '0644' }]
  for (const step of readable) {
    const report = await reportOf(path, vaultOf(canary), settings([step]))
    const error = {
      code: 'refused',
      message: /everybody .* could read a secret .* in .*\.open$/,
      hint: /0644: take 0600/,
    }
    t.match(report.tasks, [{ status: 'blocked', error }])
  }
  const reads: Command[] = [{ argv: ['echo', String(password)] }, { argv: ['env'], env: { TOKEN: String(password) } }]
  for (const read of reads) {
    const report = await reportOf(
      path,
      vaultOf(canary),
      settings([], () => [read]),
    )
    t.match(report.tasks, [{ status: 'blocked', error: { code: 'refused', message: /the read/ } }])
  }
})

t.test('standard input of a step and of a read may hold a secret, and what they print comes back masked', async t => {
  const folder = t.testdir({})
  const out = join(folder, 'out')
  const step = run(['sh', '-c', 'cat >"$1"', 'sh', out], { undo: 'none', as: me, stdin: `${password}` })
  const said: string[] = []
  const echoing = defineModule({
    name: 'echoing',
    description: 'Echoes.',
    params: z.strictObject({ password: SecretString }),
    impact: 'none',
    owns: () => [],
    check: async (host, { password }) => {
      const { stdout, stderr } = await host.command(['sh', '-c', 'tee /dev/stderr | base64 -w0'], { stdin: password })
      said.push(stdout, stderr)
      const { content } = await host.file(out)
      return { current: { running: content }, desired: { running: password } }
    },
    apply: () => [step],
  })
  const secrets = vaultOf(canary)
  const tasks = [sealedTask(echoing({ password }), secrets)]
  t.match(await applyHost(hostWith(secrets), tasks, options), { results: [{ status: 'changed' }] })
  t.equal(await readFile(out, 'utf8'), canary)
  t.notMatch(said.join(), 'c4nary')
  t.notMatch(said.join(), Buffer.from(canary).toString('base64'))
  t.match(said.join(), String(password))
})

t.test('a file that holds a secret has the digest that it has on the host', async t => {
  const path = join(t.testdir({ file: `x ${canary}\n`, plain: 'y\n' }), 'file')
  const read = async (path: string) => {
    const answer = await hostWith(vaultOf(canary)).freshReader().ask({ kind: 'file', path })
    return answer.kind === 'file' ? answer.file : undefined
  }
  const found = await read(path)
  t.equal(found?.content, `x ${password}\n`)
  t.equal(found && sha256Of(found), createHash('sha256').update(`x ${canary}\n`).digest('hex'))
  const plain = await read(join(dirname(path), 'plain'))
  t.equal(plain && sha256Of(plain), createHash('sha256').update('y\n').digest('hex'))
})

t.test('an environment stands in no command line', async t => {
  const out = join(t.testdir({}), 'out')
  const env = { SAK_ENV_CANARY: 'environment-c4nary', EOF: 'SAK_ENV\nexport BROKEN=1' }
  const look = [
    'sh',
    '-c',
    'printf "%s|" "$SAK_ENV_CANARY" "$EOF" "$BROKEN"; tr "\\0" " " </proc/$PPID/cmdline; cat /proc/[0-9]*/cmdline 2>/dev/null',
  ]
  for (const shell of shells) {
    const { connection, freshReader, secrets } = hostWith(vaultOf(canary), shell)
    const read = await freshReader().ask({ kind: 'command', argv: look, options: { env } })
    const found = read.kind === 'command' ? read.result.stdout : ''
    const [value, end, broken, cmdlines] = found.split('|')
    t.same([value, end, broken], ['environment-c4nary', env.EOF, ''])
    t.notMatch(cmdlines, 'environment-c4nary')
    const step = run(['sh', '-c', `{ ${look[2]}; } >"$1"`, 'sh', out], { undo: 'none', as: me, env, stdin: 'x' })
    const task = sealedTask(settings([step])({ path: `${out}.json`, password }), secrets)
    await applyHost({ connection, freshReader, secrets }, [task], options)
    const [inStep, , , lines] = (await readFile(out, 'utf8')).split('|')
    t.equal(inStep, 'environment-c4nary')
    t.notMatch(lines, 'environment-c4nary')
  }
})

t.test('a reviewed plan is stale when the value of a secret has changed', async t => {
  const path = join(t.testdir({}), 'settings.json')
  const planWith = async (value: string) => {
    const secrets = vaultOf(value)
    return {
      secrets,
      plan: await planHost(hostWith(secrets), [sealedTask(settings()({ path, password }), secrets)], options),
    }
  }
  const { plan, secrets } = await planWith(canary)
  const reviewed = { key: 'key', host: plannedHost('web1', 'key', plan, secrets) }
  const text = JSON.stringify(reviewed)
  t.notMatch(text, 'c4nary')
  t.notMatch(text, 'saksecret_')
  const again = await planWith(canary)
  t.doesNotThrow(() => refuseOther(again.plan, reviewed, again.secrets))
  const other = await planWith('an0ther-Value')
  t.throws(() => refuseOther(other.plan, reviewed, other.secrets), { code: 'stale-plan' })
})
