import { blocked, type FileRead, type FileState } from 'sak-reconcile'
import type { Node } from './config.ts'

/** A change of a file that somebody else wrote: the text between two offsets gives way, every other byte stays. */
export interface Edit {
  readonly file: FileRead
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What somebody else's file says otherwise than the params: where, and the edits that would mend it. */
export interface Override {
  readonly message: string
  readonly edits: readonly Edit[]
}

/** Gives a directive other arguments, where it stands. */
export function replaceArgs(node: Node, args: string): Edit {
  const { directive, file } = node
  const first = directive.args[0]
  const last = directive.args.at(-1)
  if (first && last) return { file, start: first.start, end: last.end, text: args }
  const at = directive.start + directive.name.length
  return { file, start: at, end: at, text: ` ${args}` }
}

/** Puts a directive in the place of another. */
export function replaceWith({ file, directive }: Node, text: string): Edit {
  return { file, start: directive.start, end: directive.end, text }
}

/** Takes a directive away, with its line if it has one to itself. */
export function takeAway({ file, directive }: Node): Edit {
  const text = file.content ?? ''
  const { start, end } = directive
  const blank = blankBefore(text, start)
  const after = /^[ \t]*(\r?\n|$)/.exec(text.slice(end))
  if (blank !== undefined && after) return { file, start: start - blank.length, end: end + after[0].length, text: '' }
  return { file, start: text[start - 1] === ' ' ? start - 1 : start, end, text: '' }
}

/** Puts a directive before another one of the same block: on a line of its own if that one begins a line. */
export function insertBefore(node: Node, text: string): Edit {
  const { file, directive } = node
  const indent = lineStart(node)
  return {
    file,
    start: directive.start,
    end: directive.start,
    text: text + (indent === undefined ? ' ' : `\n${indent}`),
  }
}

/** Puts a directive at the end of a block. */
export function appendTo(node: Node, text: string): Edit {
  const { file, directive } = node
  const end = directive.block?.end ?? directive.end
  const before = (file.content ?? '').slice(0, end)
  const last = directive.block?.directives.at(-1)
  const indent = last ? (blankBefore(file.content ?? '', last.start) ?? '    ') : '    '
  // The closing brace stands on a line of its own, or behind something.
  const ownLine = /\n[ \t]*$/.exec(before)
  if (!ownLine) return { file, start: end, end, text: `${before.endsWith(' ') ? '' : ' '}${text} ` }
  const at = end - ownLine[0].length + 1
  return { file, start: at, end: at, text: `${indent}${text}\n` }
}

/** The files with the edits made, each path once. Equal edits (a file that is included twice) count once. */
export function applyEdits(edits: readonly Edit[]): FileState[] {
  const byPath = new Map<string, Map<string, Edit>>()
  for (const edit of edits) {
    const ofFile = byPath.get(edit.file.path) ?? new Map<string, Edit>()
    byPath.set(edit.file.path, ofFile.set(`${edit.start} ${edit.end} ${edit.text}`, edit))
  }
  return [...byPath.entries()].map(([path, ofFile]) => {
    const [first] = ofFile.values()
    if (first?.file.binary) throw blocked('unsupported', `${path} is not UTF-8: it cannot be edited without loss`)
    return { kind: 'file', path, content: edited(first?.file.content ?? '', [...ofFile.values()]) }
  })
}

/** Edits from the last to the first, so that no offset moves; of those at one place the last first, to keep their order. */
function edited(text: string, edits: readonly Edit[]): string {
  const backwards = edits
    .map((edit, index) => ({ edit, index }))
    .sort((a, b) => b.edit.start - a.edit.start || b.index - a.index)
  return backwards.reduce(
    (content, { edit }) => content.slice(0, edit.start) + edit.text + content.slice(edit.end),
    text,
  )
}

/** The blanks before an offset if nothing else stands before it on its line. */
function blankBefore(text: string, offset: number): string | undefined {
  return /(?:^|\n)([ \t]*)$/.exec(text.slice(0, offset))?.[1]
}

const lineStart = (node: Node) => blankBefore(node.file.content ?? '', node.directive.start)
