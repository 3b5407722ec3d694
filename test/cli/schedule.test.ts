import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commandLine, notes } from './sak.ts'

const secretFile = `
import { definePlaybook, secret } from 'sak-reconcile'
import { file } from 'sak-reconcile/modules'
export default definePlaybook({
  name: 'secret',
  tasks: () => [file({ path: '/nowhere/env', content: \`KEY=\${secret.env('SAK_TEST_NOTE')}\\n\`, mode: '0600' })],
})
`

/** `schedule install` in a project; what it left behind is in `left`. */
async function installing(t: Test, { playbook = notes, drift = {} }: { playbook?: string; drift?: object } = {}) {
  const config = {
    playbook: './notes.ts',
    inventory: 'localhost,',
    drift,
    ...(playbook === notes && { vars: { folder: '/nowhere' } }),
  }
  const files = { 'notes.ts': playbook, 'sak.config.json': JSON.stringify(config) }
  const { run, cwd } = await commandLine(t, files)
  process.env.XDG_STATE_HOME = join(cwd, 'state')
  const before = existsSync('/etc/cron.d') ? readdirSync('/etc/cron.d') : []
  return async (...args: string[]) => {
    const { code, stderr } = await run('schedule', 'install', '--every', '@daily', '--using', 'cron', '--', ...args)
    t.notOk(existsSync(join(cwd, 'state')))
    t.same(existsSync('/etc/cron.d') ? readdirSync('/etc/cron.d') : [], before)
    t.equal(code, 1)
    return stderr
  }
}

t.test('what drift could not do is refused before anything is written', async t => {
  const install = await installing(t)
  t.match(
    await install('--nope'),
    /^usage: what stands after -- is given to drift: unknown option '--nope'\n {2}hint: /,
  )
  t.match(await install('drift', './notes.ts'), /given to drift: too many arguments/)
  t.match(await install('--jitter', 'soon'), /given to drift: .*'soon' is invalid\. expected a time/)
  t.match(await install('./none.ts'), /^usage: there is no file .*none\.ts/)
  t.match(await install('-i', 'none.yaml'), /^invalid-inventory: none\.yaml: there is no such inventory file/)
  t.match(await install('-l', 'web9'), /"web9" of --limit matches no host/)
  t.match(await install('-e', 'nope=1'), /nope/)
  t.match(await install('-K'), /^usage: a scheduled run has nobody to ask/)
})

t.test('so are secrets from an environment that a scheduled run does not have', async t => {
  process.env.SAK_TEST_HOOK = process.env.SAK_TEST_NOTE = 'they are in ours'
  const url = { env: 'SAK_TEST_HOOK' }
  const notifying = await installing(t, { drift: { notify: [{ kind: 'webhook', name: 'pager', url }] } })
  t.match(
    await notifying(),
    /does not have these from the environment: SAK_TEST_HOOK \(the notifier pager\)\n {2}hint: /,
  )
  const playing = await installing(t, { playbook: secretFile })
  t.match(await playing(), /does not have these from the environment: SAK_TEST_NOTE \(the secret env SAK_TEST_NOTE\)/)
})
