import { channel } from 'node:diagnostics_channel'

/** A stretch of a run's time, in milliseconds since the process began. */
export interface Span {
  readonly name: string
  /** None for what a run does once, for all hosts. */
  readonly host?: string
  readonly from: number
  readonly to: number
  /** Counts and names: `{ bytesOut: 5120, bytesIn: 880 }`. Never contents. */
  readonly details: Readonly<Record<string, string | number>>
}

/** Spans are published where Node's own diagnostics are, as `sak-reconcile:span`; a run that nobody watches pays nothing for it. */
const published = channel('sak-reconcile:span')

type Details = Record<string, string | number>

/** Does something, and tells how long it took, with the details that it adds. */
export async function traced<T>(
  name: string,
  host: string | undefined,
  act: (details: Details) => Promise<T>,
): Promise<T> {
  if (!published.hasSubscribers) return act({})
  const details: Details = {}
  const from = performance.now()
  try {
    return await act(details)
  } finally {
    tell({ name, from, to: performance.now(), details, ...(host !== undefined && { host }) })
  }
}

/** The same for what takes no waiting. */
export function tracedNow<T>(name: string, host: string | undefined, act: () => T): T {
  if (!published.hasSubscribers) return act()
  const from = performance.now()
  try {
    return act()
  } finally {
    tell({ name, from, to: performance.now(), details: {}, ...(host !== undefined && { host }) })
  }
}

const tell = (span: Span) => published.publish(span)

/** Hears of every span from now on; answers what ends that. */
export function onSpan(listener: (span: Span) => void): () => void {
  const receive = (message: unknown) => {
    if (isSpan(message)) listener(message)
  }
  published.subscribe(receive)
  return () => void published.unsubscribe(receive)
}

const isSpan = (message: unknown): message is Span =>
  typeof message === 'object' && message !== null && 'name' in message && 'from' in message && 'details' in message
