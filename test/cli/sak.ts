import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { main } from '../../src/cli/main.ts'

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

// Runs of one machine wait for each other, and undo first what an earlier one left: root's keep out of other tests' way.
const ownState = 'mkdir -p /var/lib/sak-reconcile && mount -t tmpfs sak-test /var/lib/sak-reconcile && exec "$@"'
const apart = ['unshare', '-m', 'sh', '-c', ownState, 'sh']
const canBeApart = spawnSync('unshare', ['-m', 'sh', '-c', ownState, 'sh', 'true']).status === 0

// without what tap adds to every node: it would write beside the tests, as whoever runs
const node = ['env', '-u', 'NODE_OPTIONS', process.execPath]
const fromSources = [...node, `--import=${import.meta.resolve('tsx')}`, '--conditions=sak-source', entry]

/** The command line as it is started from the sources. */
export const argv = canBeApart ? [...apart, ...fromSources] : fromSources

// runs are remembered apart from those of whoever runs the tests
const stateHome = mkdtempSync(join(tmpdir(), 'sak-state-'))
chmodSync(stateHome, 0o777)
// but the image of the test hosts, which takes minutes to build, stays where it is
process.env.SAK_HOSTS_CACHE ??= join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sak-hosts')
process.env.XDG_STATE_HOME = stateHome
process.env.XDG_CACHE_HOME = stateHome
process.on('exit', () => rmSync(stateHome, { recursive: true, force: true }))

/** Somebody who is not root, where this is root and the sources may be read by others. */
export const nobody = process.getuid?.() === 0 && mayRead(65534) ? 65534 : undefined

function mayRead(uid: number): boolean {
  return spawnSync('test', ['-r', entry], { uid, gid: uid }).status === 0
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SakOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly uid?: number | undefined
}

/** Starts a program with next to no environment, and an own home that is empty. */
export function start(command: readonly string[], { cwd, env = {}, uid }: SakOptions) {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: stateHome, XDG_CACHE_HOME: stateHome, ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  })
  const output = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const ended = output.then(([[code], stdout, stderr]): Ran => ({ code, stdout, stderr }))
  return { child, ended }
}

/** Runs the command line without a terminal. */
export async function sak(args: readonly string[], options: SakOptions): Promise<Ran> {
  const { child, ended } = start([...(options.uid === undefined ? argv : fromSources), ...args], options)
  child.stdin.end(options.stdin ?? '')
  return ended
}

/** A new directory that is in no project. */
export async function emptyFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sak-test-'))
  await chmod(folder, 0o755)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The command line in this process, in a folder of its own: for what changes nothing, because it is quicker so. */
export async function commandLine(test: Test, files: Readonly<Record<string, string>> = {}) {
  const cwd = await emptyFolder(test)
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
  test.chdir(cwd)
  const run = async (...args: string[]): Promise<Ran> => {
    const [stdout, stderr] = [test.capture(process.stdout, 'write'), test.capture(process.stderr, 'write')]
    const code = await main(args)
    const said = (captured: typeof stdout) =>
      captured()
        .map(call => String(call.args[0]))
        .join('')
    const result = { code, stdout: said(stdout), stderr: said(stderr) }
    stdout.restore()
    stderr.restore()
    return result
  }
  return { cwd, run }
}

/**
 * A playbook that keeps two notes in a folder, as whoever runs it. Params: `folder`, `text`, and `step`, a shell command that
 * runs after the first note is written.
 */
export const notes = `
import { blocked, defineModule, definePlaybook, run, write } from 'sak-reconcile'
import { userInfo } from 'node:os'
import { z } from 'zod'

const note = defineModule({
  name: 'note',
  description: 'Keeps a note.',
  params: z.strictObject({ path: z.string(), text: z.string(), step: z.string().optional(), isBlocked: z.boolean().default(false) }),
  impact: 'restart',
  owns: ({ path }) => [path],
  check: async (host, { path, text, isBlocked }) => ({
    current: { saved: await host.file(path) },
    desired: { saved: { kind: 'file', path, content: text } },
    blocked: isBlocked ? [blocked('override', 'somebody else rules \\u001b]0;evil\\u0007it', 'ask them')] : [],
  }),
  apply: ({ saved }, { step }) => [
    saved && write(saved.after),
    step && run(['sh', '-c', step], { undo: 'none', as: userInfo().username, impact: 'restart' }),
  ],
})

export default definePlaybook({
  name: 'notes',
  params: z.strictObject({
    folder: z.string(),
    text: z.string().default('hello\\n'),
    step: z.string().optional(),
    isBlocked: z.boolean().default(false),
  }),
  tasks: ({ folder, text, step, isBlocked }) => [
    note({ path: folder + '/a', text, step }, { label: 'first', tags: ['one'] }),
    note({ path: folder + '/b', text, isBlocked }, { label: 'second', tags: ['two'] }),
  ],
})
`
