import { posix } from 'node:path'
import {
  absent,
  blocked,
  checkFile,
  defineModule,
  desiredFile,
  type Host,
  type LinkState,
  makeLink,
  placeFile,
} from 'sak-reconcile'
import { Params } from './params.ts'

/** Keeps a file: its content, mode and owner; or a symbolic link; or that there is none. */
export const file = defineModule({
  name: 'file',
  description: 'Keeps a file: its content, mode and owner; or a symbolic link; or that there is none.',
  params: Params,
  impact: 'none',
  example: { path: '/etc/motd', content: 'Managed by sak-reconcile\n' },
  keys: { saved: 'the file: content, mode, owner and group; or where the link leads' },
  owns: ({ path }) => [path],

  async check(host, params) {
    const { path, linkTo } = params
    if (linkTo !== undefined) return checkLink(host, makeLink({ kind: 'link', path, target: linkTo }), params)
    return checkFile(host, params.bytes === null ? absent(path) : desiredFile(params, params.bytes), params)
  },

  apply: ({ saved }, params) => [saved && placeFile(saved.after, params)],
})

async function checkLink(host: Host, { kind, path, target }: LinkState, params: Params) {
  const to = posix.resolve(posix.dirname(path), target)
  const [checked, there] = await Promise.all([checkFile(host, { kind, path, target }, params), host.stat(to)])
  const { saved } = checked.current
  const isFile = saved.kind === 'file' && saved.content !== null
  return {
    ...checked,
    blocked: [
      ...(checked.blocked ?? []),
      ...(there
        ? []
        : [blocked('refused', `${path} would lead nowhere: there is no ${to}`, 'make it before this task')]),
      ...(isFile && params.links !== 'replace'
        ? [blocked('refused', `${path} is a file`, "links: 'replace' puts the link in its place")]
        : []),
    ],
  }
}
