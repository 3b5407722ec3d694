import { defineConfig, definePlaybook } from 'sak-reconcile'
import { sysctl } from 'sak-reconcile/modules'
import { motd } from './motd.js'

export default defineConfig({
  playbook: definePlaybook({
    name: 'web',
    tasks: (_params, host) => [motd({ text: `This is ${host.name}` }), sysctl({ settings: { 'vm.swappiness': 10 } })],
  }),
  inventory: { hosts: { web1: { address: '203.0.113.7', user: 'ubuntu', become: true } } },
})
