import type { SourceDocument } from './source-document.ts'
import { refuseTwice } from './values.ts'

/** A value of a JSON text: the line where it, or its key, begins, and what it holds, by key or by place. */
interface Place {
  readonly line: number
  readonly holds: Map<string, Place>
}

/** An object or array that is being read. */
interface Open {
  readonly place: Place
  readonly isArray: boolean
  /** The place that the next value fills: that of its key; none where a key or an item is to come. */
  next: Place | undefined
}

/** Data and lines of a JSON text; undefined for a text that is none. Throws SakError 'invalid-inventory' for a key given twice. */
export function parseJson(text: string, file: string): SourceDocument | undefined {
  const parsed = attempt(text)
  if (!parsed) return undefined
  const root = placesIn(text, file)
  return {
    data: parsed.data,
    locate: path => {
      let place = root
      for (const step of path) {
        const inner = place.holds.get(String(step))
        if (!inner) break
        place = inner
      }
      return `${file}:${place.line}`
    },
  }
}

function attempt(text: string): { readonly data: unknown } | undefined {
  try {
    return { data: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const tokens = /\n|"(?:[^"\\]|\\.)*"|[[\]{},]|[^\s[\]{},:"]+/g

/** Where everything stands in a text that is known to be JSON. */
function placesIn(text: string, file: string): Place {
  const root: Open = { place: { line: 1, holds: new Map() }, isArray: true, next: undefined }
  const open = [root]
  let line = 1
  for (const [token] of text.matchAll(tokens)) {
    const around = open.at(-1) ?? root
    if (token === '\n') line += 1
    else if (token === ',') around.next = undefined
    else if (token === '}' || token === ']') open.pop()
    else if (around.next === undefined) {
      const name = around.isArray ? String(around.place.holds.size) : String(JSON.parse(token))
      if (around.place.holds.has(name)) refuseTwice(name, `${file}:${line}`)
      around.next = { line, holds: new Map() }
      around.place.holds.set(name, around.next)
      if (around.isArray && (token === '{' || token === '[')) open.push(opened(around.next, token))
    } else if (token === '{' || token === '[') open.push(opened(around.next, token))
  }
  return root.place.holds.get('0') ?? root.place
}

const opened = (place: Place, token: string): Open => ({ place, isArray: token === '[', next: undefined })
