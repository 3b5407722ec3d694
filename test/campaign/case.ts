import { setTimeout as sleep } from 'node:timers/promises'
import type { Report, Step } from 'sak-reconcile'
import type { TestHost } from '../e2e/harness.ts'
import type { Fault } from './faults.ts'
import { apply, applyByProcess, applyByProxy, dryRun, recover, stepsOf } from './scene.ts'
import type { Subject } from './subjects.ts'
import { armTrap, disarm, goOn, isReached, layTrap, type Point, pointsPassed } from './trap.ts'

const root = { root: true } as const

/** What the host is before and after an apply to which nothing happens, seen by plain commands and by the module's own check. */
export interface Ends {
  readonly steps: readonly Step[]
  readonly points: readonly Point[]
  readonly before: Sight
  readonly after: Sight
}

interface Sight {
  /** A line for each file that a step writes: mode, owner, time, digest. */
  readonly files: string
  /** What a dry run finds differing. */
  readonly changes: string
}

export const verdicts = ['undone', 'committed', 'recovered', 'HALF'] as const
export type Verdict = (typeof verdicts)[number]

export interface CaseResult {
  readonly verdict: Verdict
  /** What is not as it should be; empty where all is well. */
  readonly wrong: string[]
}

const tasksOf = (report: Report) => report.hosts[0]?.tasks ?? []
const changesOf = (report: Report) => JSON.stringify(tasksOf(report).map(({ label, changes }) => [label, changes]))

/** Times count for what was there before: it comes back with them. */
async function look(host: TestHost, subject: Subject, steps: readonly Step[], report?: Report): Promise<Sight> {
  const paths = [...steps.flatMap(step => ('path' in step ? [step.path] : [])), ...(subject.files ?? [])]
  const contents = `find . -mindepth 1 -printf '%p %y %m %u:%g %s %l\\n' | sort`
  const digest = '[ -L "$f" ] && readlink "$f" || sha256sum <"$f"'
  const each = `if [ -d "$f" ] && [ ! -L "$f" ]; then echo "$(stat -c '%n %a %U:%G' "$f") $(cd "$f" && ${contents} | sha256sum)"
elif a=$(stat -c '%n %a %U:%G %y' "$f" 2>/dev/null); then echo "$a $(${digest})"; else echo "$f absent"; fi`
  const files = await host.output(`for f in ${[...new Set(paths)].sort().join(' ')}; do ${each}; done`, root)
  return { files, changes: changesOf(report ?? (await dryRun(host, subject))) }
}

/** What is the same in every case: no times, and of what is volatile nothing but the mode and owner. */
const lasting = (files: string, { volatile }: Subject) =>
  files
    .replaceAll(/ \d{4}-\d\d-\d\d \S+ \S+(?= )/g, '')
    .split('\n')
    .map(line => (volatile !== undefined && line.startsWith(`${volatile} `) ? line.replace(/\S+ +-$/, '') : line))
    .join('\n')

/** Goes through an apply once undisturbed: its steps, its points, both ends. */
export async function findEnds(host: TestHost, subject: Subject): Promise<Ends> {
  await layTrap(host)
  await host.exec(subject.reset, root)
  const planned = await dryRun(host, subject)
  const tasks = tasksOf(planned)
  if (tasks.some(({ status }) => status !== 'drift')) throw new Error(`${subject.name}: ${JSON.stringify(planned)}`)
  const steps = await stepsOf(host, subject)
  const before = await look(host, subject, steps, planned)
  await armTrap(host)
  const report = await apply(host, subject)
  const points = await pointsPassed(host)
  if (report.exitCode !== 0) throw new Error(`${subject.name} does not apply at all: ${JSON.stringify(report)}`)
  const boundaries = points.filter(({ what }) => what === 'step').length
  if (boundaries !== steps.length) throw new Error(`${subject.name}: ${boundaries} boundaries, ${steps.length} steps`)
  return { steps, points, before, after: await look(host, subject, steps) }
}

/** Breaks an apply at a point, lets the next one recover, and judges. */
export async function breakAt(
  host: TestHost,
  subject: Subject,
  ends: Ends,
  { fault, point }: { fault: Fault; point: Point },
): Promise<CaseResult> {
  const before = await prepare(host, subject, ends)
  await armTrap(host, point)
  const run = fault.ownProcess
    ? { cut: () => {}, ...applyByProcess(host, subject) }
    : { kill: () => {}, ...(await applyByProxy(host, subject)) }
  const wrong: string[] = []
  const ended = run.ended.then(said => ({ said }))
  const reached = await Promise.race([isReached(host), ended])
  if (reached === true) {
    await fault.make({ host, subject, steps: ends.steps, point, killController: run.kill, cutConnection: run.cut })
  } else wrong.push(`the point was not reached: ${JSON.stringify(reached)}`)
  await run.ended
  await host.exec(
    `${disarm}; ${goOn}; flock -w 240 /var/lib/sak-reconcile/transaction.lock true; ${fault.clear ?? ':'}`,
    root,
  )
  return judge(host, subject, { ...ends, before }, { fault, wrong })
}

/** A stock host, with the trap laid. */
export async function freshen(host: TestHost): Promise<void> {
  await host.restore()
  await layTrap(host)
}

/** Brings the state of before, however far it is, and looks at it: with the times of its files. */
async function prepare(host: TestHost, subject: Subject, ends: Ends): Promise<Sight> {
  const bring = async () => {
    await host.exec(subject.reset, root)
    return look(host, subject, ends.steps)
  }
  const isBefore = ({ files, changes }: Sight) =>
    lasting(files, subject) === lasting(ends.before.files, subject) && changes === ends.before.changes
  const found = await bring()
  if (isBefore(found)) return found
  await freshen(host)
  const again = await bring()
  if (!isBefore(again))
    throw new Error(`${subject.name}: its state of before cannot be brought: ${difference(again, ends, subject)}`)
  return again
}

async function judge(
  host: TestHost,
  subject: Subject,
  ends: Ends,
  { fault, wrong }: { fault: Fault; wrong: string[] },
): Promise<CaseResult> {
  const left = await host.output('cat /var/lib/sak-reconcile/transactions/*/state 2>/dev/null || true', root)
  const open = left.split('\n').filter(state => state === 'applying' || state === 'half').length
  const said = (await dryRun(host, subject)).hosts[0]
  const isSaid = said?.status === 'interrupted'
  if (isSaid !== open > 0) wrong.push(`${open} open journals, and a dry run says ${said?.status}`)
  const recovered = await recover(host)
  if (recovered !== open) wrong.push(`${open} open journals, ${recovered} recovered`)
  const found = await look(host, subject, ends.steps)
  const side = sideOf(found, ends, { fault, subject })
  if (side === undefined) wrong.push(difference(found, ends, subject))
  const report = await apply(host, subject)
  if (report.exitCode !== 0)
    wrong.push(
      `the next apply does not converge: ${JSON.stringify(tasksOf(report).map(task => task.error))} ${JSON.stringify(report.hosts[0]?.error)}`,
    )
  const last = await look(host, subject, ends.steps)
  if (lasting(last.files, subject) !== lasting(ends.after.files, subject))
    wrong.push('the next apply leaves other files')
  if (last.changes !== ends.after.changes) wrong.push(`after the next apply there differs ${last.changes}`)
  wrong.push(...(await strays(host)))
  if (wrong.length > 0 || side === undefined) return { verdict: 'HALF', wrong }
  if (side === 'after') return { verdict: 'committed', wrong }
  return { verdict: open > 0 ? 'recovered' : 'undone', wrong }
}

/** Wholly before, wholly after, or neither. Where programs were ended, files alone tell; the next apply must bring back what runs. */
function sideOf(
  { files, changes }: Sight,
  { before, after }: Ends,
  { fault, subject }: { fault: Fault; subject: Subject },
): 'before' | 'after' | undefined {
  const isLike = (end: Sight) => changes === end.changes || fault.endsPrograms
  if (files === before.files && isLike(before)) return 'before'
  if (lasting(files, subject) === lasting(after.files, subject) && isLike(after)) return 'after'
  return undefined
}

function difference(found: Sight, { before, after }: Ends, subject: Subject): string {
  const lines = (sight: Sight) => [...lasting(sight.files, subject).split('\n'), sight.changes]
  const known = new Set([...lines(before), ...lines(after)])
  const other = lines(found).filter(line => !known.has(line))
  const timesOf = found.files.split('\n').filter(line => !before.files.split('\n').includes(line))
  if (lasting(found.files, subject) === lasting(before.files, subject) && timesOf.length > 0)
    return `as before but for the times: ${timesOf.join(' | ')}, where before is ${before.files}`.slice(0, 1500)
  const notOf = (sight: Sight) => {
    const its = new Set(lasting(sight.files, subject).split('\n'))
    return lasting(found.files, subject)
      .split('\n')
      .filter(line => !its.has(line))
  }
  const mixed = `not as before: ${notOf(before).join(' | ')}; not as after: ${notOf(after).join(' | ')}`
  return `neither before nor after: ${mixed.slice(0, 1500)}; ${other.join(' | ').slice(0, 1500)}`
}

/** Temporary files, journals, locks and processes that nobody needs any more. */
async function strays(host: TestHost): Promise<readonly string[]> {
  const command = `find /etc /srv /var/www /var/lib /var/spool /home /root /usr/local /tmp -xdev \\( -name '.sak-*' -o -name '*.conf.sak*' \\) -not -path '*/sak-campaign*'
ls -d /var/lib/sak-reconcile/transactions/* 2>/dev/null
pgrep -fa 'sak-reconcile/transactions/.*script'
flock -n /var/lib/sak-reconcile/transaction.lock true || echo 'the lock of transactions is held'
flock -n /var/lib/sak-reconcile/lock true || echo 'the lock of the host is held'
true`
  for (let attempt = 0; ; attempt++) {
    const found = (await host.output(command, root)).split('\n').filter(line => line !== '' && !line.includes('pgrep'))
    // a released lock ends with its script, a moment later
    if (found.length === 0 || attempt === 20) return found
    await sleep(100)
  }
}
