import { type Command, run, type Step } from 'sak-reconcile'
import { bridgePath } from './facts.ts'
import { type How, needsActivation, needsRebuild, type Running, usesBridge } from './judge.ts'
import { escapeField } from './parse.ts'

type Argv = readonly string[]

/** The commands that make the file where there is none: its mode before its content. */
function creation(path: string, sizeMiB: number, { filling }: How): readonly [Argv, ...Argv[]] {
  const fill =
    filling === 'writing zeros'
      ? ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${sizeMiB}`, 'conv=fsync', 'status=none']
      : ['fallocate', '-l', `${sizeMiB}MiB`, path]
  return [
    ['install', '-m', '0600', '/dev/null', path],
    // only an empty file can be taken out of copy-on-write
    ...(filling === 'fallocate without copy-on-write' ? [['chattr', '+C', path]] : []),
    fill,
  ]
}

const makeSwap = (path: string) =>
  run(['mkswap', path], { impact: 'data', undo: 'resumable', refuse: 'contains holes|insecure' })

function create(path: string, sizeMiB: number, how: How): Step[] {
  const [first, ...others] = creation(path, sizeMiB, how)
  return [
    run(first, { impact: 'data', undo: [{ argv: ['rm', '-f', path] }] }),
    ...others.map(argv => run(argv, { impact: 'data', undo: 'resumable', timeout: '30m' })),
    makeSwap(path),
  ]
}

function activation(path: string, priority: number | undefined): readonly string[] {
  // a negative priority is the kernel's own choice
  return ['swapon', ...(priority !== undefined && priority >= 0 ? ['-p', String(priority)] : []), path]
}

const swapon = (path: string, priority?: number) => run(activation(path, priority), { undo: [offAgain(path)] })

/** Takes the host's memory for what is swapped out, and as long as that takes. */
const swapoff = (path: string, priority?: number) =>
  run(['swapoff', path], { impact: 'data', undo: [onAgain(path, priority)], timeout: '30m' })

// a step that failed is undone too, and then there is nothing to switch
const isActive = `cut -d ' ' -f 1 /proc/swaps | grep -qxF -- "$0"`

function offAgain(path: string): Command {
  return { argv: ['sh', '-c', `! ${isActive} || swapoff "$1"`, escapeField(path), path] }
}

function onAgain(path: string, priority: number | undefined): Command {
  return { argv: ['sh', '-c', `${isActive} || "$@"`, escapeField(path), ...activation(path, priority)] }
}

/** Brings the file from one state to the other. Where memory is short, a stand-in takes what is swapped out. */
export function bringUp(path: string, before: Running, after: Running, how: How): Step[] {
  const { sizeMiB = 0 } = after
  const activate = needsActivation(before, after, how)
  const letGo = before.active && activate
  return [
    ...(usesBridge(before, after, how) ? bringUpBridge(path, before, how) : []),
    ...(letGo ? [swapoff(path, before.priority)] : []),
    ...(needsRebuild(before, after, how)
      ? [...remove(path, before, how), ...create(path, sizeMiB, how)]
      : [...protect(path, before, after), ...(before.active ? [] : [makeSwap(path)])]),
    ...(activate ? [swapon(path, after.priority)] : []),
  ]
}

function bringUpBridge(path: string, before: Running, how: How): Step[] {
  const bridge = bridgePath(path)
  const left = before.bridge === 'inactive' ? [run(['rm', '-f', bridge], { impact: 'data', undo: 'none' })] : []
  return [...left, ...create(bridge, before.sizeMiB ?? 0, how), swapon(bridge)]
}

/** The stand-in goes last: by then there is room for what it holds. */
export function takeDownBridge(path: string, before: Running, after: Running, how: How): Step[] {
  const bridge = bridgePath(path)
  const isOn = usesBridge(before, after, how) || before.bridge === 'active'
  if (!isOn && before.bridge === 'absent') return []
  return [...(isOn ? [swapoff(bridge)] : []), run(['rm', '-f', bridge], { impact: 'data', undo: 'resumable' })]
}

/** Turns the file off and removes it. */
export function takeDown(path: string, before: Running): Step[] {
  return [
    ...(before.active ? [swapoff(path, before.priority)] : []),
    ...(before.file === 'absent' ? [] : [run(['rm', '-f', path], { impact: 'data', undo: 'resumable' })]),
  ]
}

/** Undone by a file of the same size, where the old one was in use; what an unused one holds is worth nothing. */
function remove(path: string, before: Running, how: How): Step[] {
  if (before.file === 'absent') return []
  const old = [...creation(path, before.sizeMiB ?? 0, how), ['mkswap', path]].map(argv => ({ argv }))
  return [run(['rm', '-f', path], { impact: 'data', undo: before.active ? old : 'none' })]
}

/** Owner and mode of a file that stays. */
function protect(path: string, before: Running, after: Running): Step[] {
  const set = (program: string, from: string | undefined, to: string | undefined) =>
    from === to || from === undefined || to === undefined
      ? []
      : [run([program, to, path], { undo: [{ argv: [program, from, path] }] })]
  return [...set('chown', before.owner, after.owner), ...set('chmod', before.mode, after.mode)]
}
