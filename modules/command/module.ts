import { blocked, type Checked, defineModule, type Host, readPlace, run, type SakError } from 'sak-reconcile'
import { Params } from './params.ts'

/** What each check found and what it should find, by the check as one would write it. */
type Findings = Readonly<Record<string, string>>
type Found = Checked<{ readonly done: Findings }, { readonly done: Findings }>

/** Runs a program where a check says that it is to be done. */
export const command = defineModule({
  name: 'command',
  description: 'Runs a program where a check says that it is to be done.',
  params: Params,
  impact: 'data',
  impactOf: ({ impact }) => impact,
  example: {
    argv: ['npm', 'ci', '--omit=dev'],
    as: 'shop',
    cwd: '/srv/shop',
    creates: '/srv/shop/node_modules',
    impact: 'none',
    undo: 'resumable',
  },
  keys: { done: 'what its checks say' },
  owns: ({ creates }) => (creates === undefined ? [] : [creates]),

  async check(host, params): Promise<Found> {
    const [findings, obstacles] = await Promise.all([ask(host, params), cwdObstacles(host, params)])
    const isDone = findings.some(finding => finding.isDone)
    const left = isDone ? [] : findings
    return {
      current: { done: Object.fromEntries(left.map(({ check, now }) => [check, now])) },
      desired: { done: Object.fromEntries(left.map(({ check, wanted }) => [check, wanted])) },
      blocked: obstacles,
    }
  },

  apply: ({ done }, params) => {
    const { as, env, stdin, impact, undo, timeout, changes, creates, removes } = params
    const paths = [...new Set([...changes, ...[creates, removes].filter(path => path !== undefined)])]
    const step = run(inDirectory(argvOf(params), params), {
      as,
      env,
      impact,
      timeout,
      undo: typeof undo === 'string' ? undo : undo.map(argv => ({ argv: inDirectory(argv, params), as, env })),
      leaves: paths.map(path => ({ kind: 'unknown', path })),
      ...(stdin !== undefined && { stdin }),
    })
    return [done && step]
  },
})

/** A script gets a name as its `$0`, for its messages. */
const argvOf = ({ argv, shell = '' }: Params): readonly string[] => argv ?? ['sh', '-eu', '-c', shell, 'command']

const inDirectory = (argv: readonly string[], { cwd }: Params): readonly string[] =>
  cwd === undefined ? argv : ['env', '-C', cwd, ...argv]

interface Finding {
  readonly check: string
  readonly now: string
  readonly wanted: string
  readonly isDone: boolean
}

async function ask(host: Host, params: Params): Promise<readonly Finding[]> {
  const { creates, removes, unless, onlyIf } = params
  const asked = [
    creates === undefined ? [] : [atPath(host, 'creates', creates)],
    removes === undefined ? [] : [atPath(host, 'removes', removes)],
    unless === undefined ? [] : [byProgram(host, 'unless', unless, params)],
    onlyIf === undefined ? [] : [byProgram(host, 'onlyIf', onlyIf, params)],
  ]
  return Promise.all(asked.flat())
}

/** A link that leads nowhere is something too. */
async function atPath(host: Host, check: 'creates' | 'removes', path: string): Promise<Finding> {
  const { stat, link } = await readPlace(host, path)
  const now = stat || link !== null ? 'there' : 'not there'
  const wanted = check === 'creates' ? 'there' : 'not there'
  return { check: `${check} ${path}`, now, wanted, isDone: now === wanted }
}

async function byProgram(
  host: Host,
  check: 'unless' | 'onlyIf',
  argv: readonly string[],
  params: Params,
): Promise<Finding> {
  const { as, env, cwd, dependsOn } = params
  const paths = [...dependsOn, ...(cwd === undefined ? [] : [cwd]), ...(as === 'root' ? [] : ['/etc/passwd'])]
  const { code } = await host.command(inDirectory(argv, params), { as, env, dependsOn: paths })
  const [program = ''] = argv
  // what installs a program may ask for it; what is to be done only if a program says so needs its word
  if (check === 'onlyIf' && code === 127)
    throw blocked('not-installed', `onlyIf: there is no program ${program} on the host`)
  const now = code === 127 ? 'no such program' : `exit ${code}`
  const wanted = check === 'unless' ? 'exit 0' : 'an exit other than 0'
  return { check: `${check} ${argv.join(' ')}`, now, wanted, isDone: (code === 0) === (check === 'unless') }
}

async function cwdObstacles(host: Host, { cwd }: Params): Promise<readonly SakError[]> {
  if (cwd === undefined) return []
  const stat = await host.stat(cwd)
  if (stat?.type === 'directory') return []
  return [
    blocked(
      'no-such-path',
      `there is no directory ${cwd} to run it in`,
      `directory({ path: '${cwd}' }) before this task makes it`,
    ),
  ]
}
