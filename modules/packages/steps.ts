import { type Command, run, type Step, type UnknownState } from 'sak-reconcile'
import { aptGet, lockSeconds, quiet } from './apt.ts'
import { listsPath, statusPath, traceOf } from './found.ts'
import type { AptRun, Before, Plan } from './plan.ts'
import { fetchLists, patient, putBackBy } from './scripts.ts'

const unknown = (path: string): UnknownState => ({ kind: 'unknown', path })
const anyTrace = '/var/lib/dpkg/info'

/** Ends what a killed dpkg had begun, fetches lists, and runs apt. */
export function aptSteps({ finish, fetch, run: apt }: Plan): readonly (Step | false | undefined)[] {
  return [
    finish &&
      run(patient(lockSeconds, ['dpkg', '--force-confold', '--configure', '-a']), {
        title: 'end what a killed dpkg had begun (dpkg --configure -a)',
        env: quiet,
        impact: 'restart',
        undo: 'resumable',
        timeout: '30m',
        leaves: [statusPath, anyTrace].map(unknown),
      }),
    fetch.length > 0 &&
      run(fetchLists(lockSeconds, fetch), {
        title: `fetch apt's lists (apt-get update), and look for ${fetch.join(', ')}`,
        undo: 'resumable',
        timeout: '20m',
        leaves: [unknown(listsPath)],
      }),
    apt && aptStep(apt),
    apt &&
      apt.automatic.length > 0 &&
      run(['apt-mark', 'auto', ...apt.automatic], {
        title: 'mark what came along as there only because others need it (apt-mark auto)',
        undo: 'resumable',
      }),
  ]
}

function aptStep({ title, argv, impact, touches, undo }: AptRun): Step {
  return run(argv, {
    title,
    env: quiet,
    impact,
    timeout: '30m',
    undo: typeof undo === 'string' ? undo : undoOf(undo),
    leaves: [statusPath, ...(touches === 'unforeseen' ? [anyTrace] : touches.map(traceOf))].map(unknown),
  })
}

function undoOf({ mode, table, automatic }: Before): readonly Command[] {
  const back: Command = { argv: putBackBy(mode, aptGet), stdin: table, env: quiet }
  return automatic.length === 0 ? [back] : [back, { argv: ['apt-mark', 'auto', ...automatic] }]
}

/** Holds packages, or lets them go. */
export function holdStep(verb: 'hold' | 'unhold', names: readonly string[]): Step | false {
  const back = verb === 'hold' ? 'unhold' : 'hold'
  const marking = (mark: typeof verb) => patient(lockSeconds, ['apt-mark', mark, ...names])
  return (
    names.length > 0 &&
    run(marking(verb), {
      title: `${verb} ${names.join(', ')} (apt-mark ${verb})`,
      undo: [{ argv: marking(back) }],
      timeout: '6m',
      leaves: names.map(name => unknown(traceOf(name))),
    })
  )
}
