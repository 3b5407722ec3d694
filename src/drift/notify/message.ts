import type { DriftEvent } from '../../core/drift.ts'
import type { NotifierConfig } from '../../core/drift-config.ts'

/** What a notifier is to tell. */
export interface Message {
  /** The playbook of the run. */
  readonly playbook: string
  readonly events: readonly DriftEvent[]
  /** One line. */
  readonly title: string
  /** For people. */
  readonly text: string
}

/** Tells somebody. Throws where that did not work. */
export type Send = (message: Message, signal: AbortSignal) => Promise<void>

export interface Notifier {
  readonly name: string
  /** Milliseconds for one try. */
  readonly timeoutMs: number
  readonly tries: number
  readonly send: Send
}

export type ConfigOf<K extends NotifierConfig['kind']> = Extract<NotifierConfig, { kind: K }>

/** A message for programs. Its events have ids, so that one that comes twice is known. */
export function messageJson({ playbook, events, title }: Message): string {
  return JSON.stringify({ schema: 'sak-reconcile/drift-events@1', playbook, title, events })
}
