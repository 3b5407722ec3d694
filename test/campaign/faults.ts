import type { Step } from 'sak-reconcile'
import { quote } from '../../src/core/quote.ts'
import type { TestHost } from '../e2e/harness.ts'
import type { Subject } from './subjects.ts'
import { goOn, honestSystemctl, type Point } from './trap.ts'

/** What a fault may lay hands on. */
export interface Scene {
  readonly host: TestHost
  readonly subject: Subject
  readonly steps: readonly Step[]
  readonly point: Point
  /** Ends the controller without warning. */
  readonly killController: () => void
  readonly cutConnection: () => void
}

export interface Fault {
  readonly name: string
  /** The controller must be a process of its own. */
  readonly ownProcess?: boolean
  readonly fullOnly?: boolean
  /** Programs do not run on as they did, so that what runs tells neither side. */
  readonly endsPrograms?: boolean
  /** Whether it can be made at a point. */
  applies(point: Point, steps: readonly Step[], subject: Subject): boolean
  /** Makes it, while the transaction waits at the point, and lets that go on. */
  make(scene: Scene): Promise<void>
  /** Shell for root that takes its cause away. */
  readonly clear?: string
}

const root = { root: true } as const
const isBoundary = ({ what }: Point) => what === 'step' || what === 'journal' || what === 'commit'
const shell =
  (command: string) =>
  async ({ host }: Scene) => {
    await host.exec(`${command}\n${goOn}`, root)
  }

/** The transaction's shells, and the one that began it. */
const killScript = `for p in /proc/[0-9]*; do
  if tr '\\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q '^sh /var/lib/sak-reconcile/transactions/[^ ]*/script apply'; then kill -9 "\${p#/proc/}"; fi
done
kill -9 "$(cat /var/lib/sak-campaign/reached)" 2>/dev/null || true`

/** To the last block, those that only root may use too. */
const fill = `mkdir -p /var/lib/sak-filler; i=0
for size in 1G 100M 10M 1M 64K 4K; do
  while fallocate -l "$size" "/var/lib/sak-filler/$i" 2>/dev/null; do i=$((i + 1)); done
done`

const directories = (steps: readonly Step[]) => [
  ...new Set(steps.flatMap(step => ('path' in step ? [step.path.slice(0, step.path.lastIndexOf('/')) || '/'] : []))),
]

const stepAt = (steps: readonly Step[], { step }: Point) => steps[step]
/** The program that judges what is new, before it counts. */
const trialOf = (step: Step | undefined) => {
  if (step?.kind === 'write') return step.validate?.argv
  return step?.kind === 'run' && step.impact === 'none' ? step.argv : undefined
}
/** What makes running programs take up what is new. */
const activates = (step: Step | undefined) =>
  step?.kind === 'service' || (step?.kind === 'run' && step.impact !== 'none')

/**
 * Puts in the place of a program one that does something else first, once, when a shell pattern matches its arguments. It calls no
 * other: that could be itself. Whoever runs it may note that it was asked.
 */
function onceInstead(program: string, pattern: string, does: string): string {
  const wrapper = `#!/bin/sh
real=$(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin command -v ${program.slice(program.lastIndexOf('/') + 1)} || echo ${program})
case " $* " in ${pattern})
  if [ -s /var/lib/sak-campaign/armed ]; then
    : >/var/lib/sak-campaign/armed; ${does}
  fi
esac
if [ -e ${program}.real ]; then exec ${program}.real "$@"; fi
exec "$real" "$@"
`
  const isPath = program.startsWith('/')
  const place = isPath ? program : `/usr/local/sbin/${program}`
  const keep = isPath ? `mv ${place} ${place}.real` : ':'
  return `${keep} && printf '%s' "${Buffer.from(wrapper).toString('base64')}" | base64 -d >${place} && chmod 755 ${place}
echo '${place}' >>/var/lib/sak-campaign/wrappers; echo once >/var/lib/sak-campaign/armed; chmod 666 /var/lib/sak-campaign/armed`
}

/** The same for the program that a step runs. */
function atStep({ steps, point }: Scene, does: string): string {
  const step = stepAt(steps, point)
  if (step?.kind === 'service') return onceInstead('systemctl', `*' ${step.action} '*`, does)
  const argv = step?.kind === 'run' ? step.argv : trialOf(step)
  if (!argv) throw new Error(`there is no program in step ${point.step}`)
  const [program = '', ...words] = argv
  const pattern = words.map(word => (word === '{}' ? '*' : quote(word))).join("' '")
  return onceInstead(program, `' '${pattern}' '`, does)
}

const fails: Fault['make'] = scene => shell(atStep(scene, "echo 'the campaign lets this fail' >&2; exit 1"))(scene)

/** The program has begun when its script is killed, and does what it does when the next apply is there already. */
const killAmid: Fault['make'] = async scene => {
  await shell(atStep(scene, '/usr/bin/sleep 4'))(scene)
  await scene.host.exec(`while [ -s /var/lib/sak-campaign/armed ]; do sleep 0.02; done; ${killScript}`, root)
}

/** Fails where the program was never asked: then nothing was broken. */
const unwrap = `cd /var/lib/sak-campaign; for p in $(cat wrappers 2>/dev/null); do
  if [ -e "$p.real" ]; then mv -f "$p.real" "$p"; else rm -f "$p"; fi
done
${honestSystemctl}; x=0; if [ -s armed ]; then echo 'its program was not asked'; x=1; fi; rm -f wrappers armed; exit $x`

export const faults: readonly Fault[] = [
  {
    name: 'controller killed',
    ownProcess: true,
    applies: isBoundary,
    make: async scene => {
      scene.killController()
      await shell('sleep 0.2')(scene)
    },
  },
  {
    name: 'connection cut',
    applies: isBoundary,
    make: async scene => {
      scene.cutConnection()
      await shell('sleep 0.2')(scene)
    },
  },
  { name: 'script killed', applies: () => true, make: shell(killScript) },
  {
    name: 'killed amid',
    applies: (point, steps) => point.what === 'step' && ['run', 'service'].includes(stepAt(steps, point)?.kind ?? ''),
    make: killAmid,
    clear: unwrap,
  },
  { name: 'disk full', applies: () => true, make: shell(fill), clear: 'rm -rf /var/lib/sak-filler' },
  {
    name: 'read-only',
    applies: (_, steps) => directories(steps).length > 0,
    make: async scene => {
      const list = directories(scene.steps).join(' ')
      await shell(`for f in ${list}; do
  if [ -d "$f" ]; then mount --bind "$f" "$f" && mount -o remount,bind,ro "$f" && echo "$f" >>/var/lib/sak-campaign/readonly; fi
done`)(scene)
    },
    clear: `cd /var/lib/sak-campaign; for f in $(tac readonly); do umount -l "$f"; done; rm readonly`,
  },
  {
    name: 'trial fails',
    applies: (point, steps) => point.what === 'step' && trialOf(stepAt(steps, point)) !== undefined,
    make: fails,
    clear: unwrap,
  },
  {
    name: 'reload fails',
    applies: (point, steps) => point.what === 'step' && activates(stepAt(steps, point)),
    make: fails,
    clear: unwrap,
  },
  {
    name: 'service dies',
    endsPrograms: true,
    applies: ({ what, step }, steps, { kill }) => {
      const before = what === 'commit' ? steps[step] : steps[step - 1]
      return kill !== undefined && (what === 'step' || what === 'commit') && activates(before)
    },
    make: async scene => shell(`${scene.subject.kill ?? ''} || true`)(scene),
  },
  {
    name: 'power cut',
    endsPrograms: true,
    fullOnly: true,
    applies: () => true,
    make: async ({ host }) => host.powercut(),
  },
]
