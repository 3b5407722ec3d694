import { checkFile, defineModule, desiredFile, placeFile } from 'sak-reconcile'
import { Params } from './params.ts'

/** Keeps a file that is rendered from an ejs template. */
export const template = defineModule({
  name: 'template',
  description: 'Keeps a file that is rendered from an ejs template.',
  params: Params,
  impact: 'none',
  example: { path: '/etc/motd', template: 'Welcome to <%= name %>\n', vars: { name: 'web1' } },
  keys: { saved: 'the file: content, mode, owner and group' },
  owns: ({ path }) => [path],
  check: (host, params) => checkFile(host, desiredFile(params, Buffer.from(params.rendered)), params),
  apply: ({ saved }, params) => [saved && placeFile(saved.after, params)],
})
