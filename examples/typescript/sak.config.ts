import { defineConfig } from 'sak-reconcile'
import { web } from './playbooks/web.ts'

export default defineConfig({ playbook: web, inventory: 'inventory.yaml' })
