import { command, file, logrotate, pgconf, sysctl } from 'sak-reconcile/modules'
import t from 'tap'
import { adoptedCode } from '../src/adopted-code.ts'
import type { Module } from '../src/core/module.ts'
import { type Adoption, adoptModule } from '../src/engine/adopt.ts'
import { compiles } from './compiles.ts'

const adoption = (module: Module, inputs: readonly unknown[], why?: string): Adoption => ({
  module: module.moduleName,
  candidates: inputs.map(input => ({
    module: module.moduleName,
    input,
    ...(why === undefined ? { task: module.parse(input) } : { why }),
  })),
})

t.test('what is in sync is a task, all else a comment, and it compiles', async t => {
  const { code, tasks } = adoptedCode("it's web1", 'web1,\nrecorded', [
    adoption(sysctl, [
      { settings: { 'vm.swappiness': 10, 'net.ipv4.tcp_rmem': '4096 131072 6291456' } },
      { settings: { 'vm.overcommit_memory': 1 }, path: '/etc/sysctl.d/70-b.conf' },
      { settings: { 'vm.swappiness': 10 }, path: '/etc/sysctl.d/80-c.conf' },
    ]),
    adoption(pgconf, [{ settings: { work_mem: '5MB' } }], 'saved differs, not what the host\n*/ said'),
    adoption(logrotate, [{ stanzas: [{ paths: ['/srv/*.log'], su: false, postrotate: "echo 'x'\n" }] }]),
    { module: 'pm2eco', candidates: [], why: 'not adopted yet' },
  ])
  t.equal(tasks, 3)
  t.match(code, /^import \{ logrotate, sysctl \} from 'sak-reconcile\/modules'$/m)
  t.match(code, /^ {4}sysctl\(.*\{ label: 'sysctl-2' \}\),$/m)
  t.match(code, /^ {4}\/\/ not in sync: a task above owns sysctl:vm\.swappiness too$/m)
  t.match(code, /^ {4}\/\/ not in sync: saved differs, not what the host\n {4}\/\/ \*\/ said\n {4}\/\/ pgconf\(/m)
  t.match(code, /^ {4}\/\/ pm2eco: not adopted yet$/m)
  t.equal(await compiles(code), '', code)
})

t.test('a playbook of nothing compiles', async t => {
  const { code, tasks } = adoptedCode('web1', 'web1', [{ module: 'pm2eco', candidates: [], why: 'none' }])
  t.equal(tasks, 0)
  t.equal(await compiles(code), '')
})

t.test('a secret is masked, and its task a comment', async t => {
  const { code, tasks } = adoptedCode('web1', 'web1', [
    adoption(file, [{ path: '/etc/app.env', content: 'DB_PASSWORD=correct-horse-7\n', mode: '0600' }]),
  ])
  t.equal(tasks, 0)
  t.notMatch(code, /correct-horse/)
  t.match(code, /^ {4}\/\/ file\(.*DB_PASSWORD=masked-1/m)
})

t.test('a module that cannot tell', async t => {
  const asksNothing = async () => Promise.reject(new Error('it asks'))
  t.match(await adoptModule(command, asksNothing), { candidates: [], why: /cannot tell/ })
})
