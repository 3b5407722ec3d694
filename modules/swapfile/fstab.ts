import { escapeField, unescapeField } from './parse.ts'

/** How a swap file should stand in fstab. `priority: undefined` leaves the one that stands there. */
export interface Wanted {
  readonly path: string
  readonly state: 'present' | 'absent'
  readonly priority?: number | undefined
}

/**
 * fstab with one good line for the swap file, or with none. A line that is there keeps its place, its spacing and its other
 * options; all other lines keep every byte.
 */
export function editFstab(content: string, { path, state, priority }: Wanted): string {
  let found = false
  const lines = splitLines(content).flatMap(line => {
    const entry = parseSwapLine(line)
    if (!entry || unescapeField(entry.spec) !== path) return [line]
    if (state === 'absent' || found) return []
    found = true
    return [entry.withOptions(editOptions(entry.options, priority))]
  })
  const text = lines.join('')
  if (found || state === 'absent') return text
  const gap = text === '' || text.endsWith('\n') ? '' : '\n'
  return `${text}${gap}${escapeField(path)} none swap ${editOptions(['sw'], priority).join(',')} 0 0\n`
}

/** The priority that fstab gives the swap file, if it gives one. */
export function priorityIn(content: string, path: string): number | undefined {
  const entry = splitLines(content)
    .map(parseSwapLine)
    .find(entry => entry !== undefined && unescapeField(entry.spec) === path)
  const found = entry?.options.findLast(option => /^pri=\d+$/.test(option))
  return found === undefined ? undefined : Number(found.slice('pri='.length))
}

/** The files, and no devices, that fstab has for swap. */
export function swapFilesIn(content: string): readonly string[] {
  const specs = splitLines(content).flatMap(line => parseSwapLine(line)?.spec ?? [])
  return [...new Set(specs.map(unescapeField))].filter(path => path.startsWith('/') && !path.startsWith('/dev/'))
}

function splitLines(content: string): string[] {
  return content.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

interface SwapLine {
  readonly spec: string
  readonly options: readonly string[]
  withOptions(options: readonly string[]): string
}

/** A line of fstab whose third field is `swap`. */
function parseSwapLine(line: string): SwapLine | undefined {
  const end = /[ \t\r\n]*$/.exec(line)?.[0] ?? ''
  // fields at even places, the space between them at odd ones
  const parts = line.slice(0, line.length - end.length).split(/([ \t]+)/)
  const first = parts[0] === '' ? 2 : 0
  const spec = parts[first] ?? ''
  if (spec === '' || spec.startsWith('#') || parts[first + 4] !== 'swap') return undefined
  const text = parts[first + 6]
  const options = text === undefined ? [] : text.split(',')
  return {
    spec,
    options,
    withOptions(wanted) {
      if (wanted.join() === options.join()) return line
      return [
        ...parts.slice(0, first + 5),
        parts[first + 5] ?? ' ',
        wanted.join(),
        ...parts.slice(first + 7),
        end,
      ].join('')
    },
  }
}

/** Options that activate at boot (no `noauto`), with the priority where one is wanted. */
function editOptions(options: readonly string[], priority: number | undefined): readonly string[] {
  const isPriority = (option: string) => option.startsWith('pri=')
  const wanted = priority === undefined ? undefined : `pri=${priority}`
  const isRight = wanted === undefined || options.filter(isPriority).join() === wanted
  if (isRight && !options.includes('noauto')) return options
  const kept = options.filter(option => option !== 'noauto' && (wanted === undefined || !isPriority(option)))
  return [...(kept.length > 0 ? kept : ['sw']), ...(wanted === undefined ? [] : [wanted])]
}
