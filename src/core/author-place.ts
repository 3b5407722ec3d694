import { fileURLToPath } from 'node:url'

/** Where our own code is: `src`, or `dist` once it is built. */
const ours = fileURLToPath(new URL('..', import.meta.url))

const frame = /^\s+at (?:async )?(?:.* \()?((?:file:\/\/)?\/.+?:\d+):\d+\)?$/gm

interface Stack {
  readonly stack?: string
}

/**
 * The place in the author's own code that a stack leads through first, as `file:line` (the loader of TypeScript keeps no columns):
 * not in ours, in Node's or in an installed package's. Undefined where there is none. Default: the stack of who asks.
 */
export const authorPlace = (stack: Stack = new Error()): string | undefined => placesOf(stack).find(isAuthors)

/** The place that calls a function, worked out when it is asked for: most never are. */
export function callerOf(called: (...args: never[]) => unknown): () => string | undefined {
  const trace: Stack = {}
  Error.captureStackTrace(trace, called)
  return () => placesOf(trace).slice(0, 1).find(isAuthors)
}

const placesOf = ({ stack = '' }: Stack): readonly string[] =>
  [...stack.matchAll(frame)].map(([, place = '']) => place.replace(/^file:\/\/.*(?=:\d+$)/, url => fileURLToPath(url)))

const isAuthors = (place: string) => !place.startsWith(ours) && !place.includes('/node_modules/')

/** A hint that begins with a place, where it is known. */
export const lookAt = (place: string | undefined, hint: string): string =>
  place === undefined ? hint : `look at ${place}; ${hint}`
