import { setFlagsFromString } from 'node:v8'

/**
 * Sets a flag of V8 where its version (`11.3` is that of Node 20, `12.4` of 22, `13.6` of 24) is one of those that have it. They come and
 * go between versions, and V8 tells of one that it does not know as an error on stderr, in each run.
 */
function setWhereKnown(flag: string, versions: readonly string[]): void {
  if (versions.some(version => process.versions.v8.startsWith(`${version}.`))) setFlagsFromString(flag)
}

/**
 * V8 begins to optimize a function after 66 kB of its bytecode. In a run over fifty hosts that took a fifth of all CPU, on every
 * core, and gave nothing back; from some two hundred hosts on it is worth its price, and there this limit is reached too.
 */
export function optimizeLater(): void {
  setWhereKnown('--interrupt-budget=1000000', ['11.3'])
}

/**
 * Lets the heap grow by a third of what is in use before it is looked through for garbage, and not by several times: hosts come and go,
 * and what is in use stays the same. To be called before there are hosts, and after the start, which would only be slower for it.
 */
export function keepHeapSmall(): void {
  setWhereKnown('--heap-growing-percent=30', ['11.3', '12.4', '13.6'])
}

/** Takes back what `keepHeapSmall` has set, at the end of a run: V8 takes compiled code only under the flags under which it was kept. */
export function flagsOfStart(): void {
  setWhereKnown('--heap-growing-percent=0', ['11.3', '12.4', '13.6'])
}
