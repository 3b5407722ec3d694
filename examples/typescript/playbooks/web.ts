import { definePlaybook } from 'sak-reconcile'
import { sysctl } from 'sak-reconcile/modules'
import { z } from 'zod'
import { motd } from '../modules/motd.ts'

/** What each of our web servers has. */
export const web = definePlaybook({
  name: 'web',
  hosts: 'web',
  params: z.strictObject({
    owner: z.string().default('the web team').describe('Whom to ask'),
    swappiness: z.int().min(0).max(200).default(10).describe('How readily memory is swapped out'),
  }),
  tasks: ({ owner, swappiness }, host) => [
    motd({ text: `${host.name} belongs to ${owner}. Changes made by hand are undone.` }),
    sysctl({ settings: { 'vm.swappiness': swappiness } }, { tags: ['memory'] }),
  ],
})

export default web
