import type { Advice } from '../core/advice.ts'

/** A piece of advice, and the hosts that it is for. */
export interface AdvicePiece extends Omit<Advice, 'host'> {
  readonly names: readonly string[]
}

/** Each piece of advice once, for all hosts to which the same is said. */
export function advicePieces(advice: readonly Advice[]): readonly AdvicePiece[] {
  const pieces = new Map<string, AdvicePiece>()
  for (const { host, ...piece } of advice) {
    const key = JSON.stringify(Object.values(piece))
    pieces.set(key, { ...piece, names: [...(pieces.get(key)?.names ?? []), host] })
  }
  return [...pieces.values()]
}

/** What is silenced and why, each once. */
export function silencedReasons(all: readonly { readonly id: string; readonly reason: string }[]): readonly string[] {
  return [...new Set(all.map(({ id, reason }) => `${id} (${reason})`))]
}

/** `web1, web2 and 5 more`. */
export function namesInShort(names: readonly string[], most: number): string {
  const more = names.length - most
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
