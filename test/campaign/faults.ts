import type { Step } from 'sak-reconcile'
import type { TestHost } from '../e2e/harness.ts'
import type { Subject } from './subjects.ts'
import { goOn, type Point } from './trap.ts'

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
/** What makes running programs take up what is new. */
const activates = (step: Step | undefined) =>
  step?.kind === 'service' || (step?.kind === 'run' && step.impact !== 'none')

/** Puts in the place of a program one that fails once, for these first arguments. It calls no other: that could be itself. */
function failingOnce(program: string, verb: string): string {
  const wrapper = `#!/bin/sh
real=$(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin command -v ${program.slice(program.lastIndexOf('/') + 1)} || echo ${program})
[ -e ${program}.real ] && real=${program}.real
if [ -s /var/lib/sak-campaign/failing ] && { [ -z '${verb}' ] || [ "$1" = '${verb}' ]; }; then
  : >/var/lib/sak-campaign/failing; echo 'the campaign lets this fail' >&2; exit 1
fi
exec "$real" "$@"
`
  const isPath = program.startsWith('/')
  const place = isPath ? program : `/usr/local/sbin/${program}`
  const keep = isPath ? `mv ${place} ${place}.real` : ':'
  return `${keep} && printf '%s' "${Buffer.from(wrapper).toString('base64')}" | base64 -d >${place} && chmod 755 ${place}
echo '${place}' >>/var/lib/sak-campaign/wrappers; echo once >/var/lib/sak-campaign/failing`
}

const fails: Fault['make'] = async scene => {
  const step = stepAt(scene.steps, scene.point)
  if (!step) throw new Error('there is no such step')
  if (step.kind === 'service') return shell(failingOnce('systemctl', step.action))(scene)
  if (step.kind !== 'run') throw new Error(`a ${step.kind} is no program`)
  const [program = ''] = step.argv
  await shell(failingOnce(program, ''))(scene)
}

const unwrap = `cd /var/lib/sak-campaign && for p in $(cat wrappers 2>/dev/null); do
  if [ -e "$p.real" ]; then mv -f "$p.real" "$p"; else rm -f "$p"; fi
done; rm -f wrappers failing`

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
  { name: 'disk full', applies: () => true, make: shell(fill), clear: 'rm -rf /var/lib/sak-filler' },
  {
    name: 'read-only',
    applies: (_, steps) => directories(steps).length > 0,
    make: async scene => {
      const list = directories(scene.steps)
      await shell(list.map(each => `mount --bind ${each} ${each} && mount -o remount,bind,ro ${each}`).join('\n'))(
        scene,
      )
    },
    clear: `grep -E ' ro[, ]' /proc/self/mounts | awk '{ print $2 }' | grep -E '^/(etc|var|home)/' | xargs -r -n1 umount -l`,
  },
  {
    name: 'trial fails',
    applies: ({ what, step }, steps) => what === 'step' && steps[step]?.kind === 'run' && !activates(steps[step]),
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
    applies: ({ what, step }, steps, { kill }) => {
      const before = what === 'commit' ? steps[step] : steps[step - 1]
      return kill !== undefined && (what === 'step' || what === 'commit') && activates(before)
    },
    make: async scene => shell(`${scene.subject.kill ?? ''} || true`)(scene),
  },
  {
    name: 'power cut',
    fullOnly: true,
    applies: () => true,
    make: async ({ host }) => host.powercut(),
  },
]
