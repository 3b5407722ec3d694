import { endOf, insert, join, type Line, split } from './lines.ts'

/** What an edit came to: the new content, or why it cannot be told what is meant. */
export type Edited = { readonly content: string } | { readonly refused: string; readonly hint: string }

/** Where something new goes. Stated at most once. */
export interface Where {
  /** After the last line that matches. */
  readonly after?: RegExp | undefined
  /** Before the first line that matches. */
  readonly before?: RegExp | undefined
  readonly at: 'start' | 'end'
}

export interface LineEdit extends Where {
  readonly line?: string | undefined
  readonly match?: RegExp | undefined
  readonly absent: boolean
  readonly duplicates: 'refuse' | 'merge'
}

/** Brings one line into a text, in place of what matches, or takes it out. */
export function editLine(content: string, edit: LineEdit): Edited {
  const { line, match, absent, duplicates } = edit
  const lines = split(content)
  const found = lines.flatMap(({ text }, index) => (text === line || match?.test(text) ? [index] : []))
  if (absent) return { content: join(lines.filter((_, index) => !found.includes(index))) }
  if (line === undefined) return { content }
  const [first, ...others] = found
  if (first === undefined) return inserted(lines, [line], edit)
  const isExact = found.every(index => lines[index]?.text === line)
  if (duplicates === 'refuse' && isExact) return { content }
  if (duplicates === 'refuse' && others.length > 0) {
    return {
      refused: `lines ${found.map(index => index + 1).join(', ')} match, and only one is to be "${line}"`,
      hint: "make the pattern narrower, or let duplicates: 'merge' make one line of them, at the place of the first",
    }
  }
  const kept = lines.filter((_, index) => !others.includes(index))
  return { content: join(kept.map((each, index) => (index === first ? { ...each, text: line } : each))) }
}

export interface BlockEdit extends Where {
  /** The lines of the block; undefined takes it out. */
  readonly block?: readonly string[] | undefined
  /** The lines before and after it, which tell which block it is. */
  readonly begin: string
  readonly end: string
  readonly duplicates: 'refuse' | 'merge'
}

/** Brings a marked block into a text, in place of the one that is there, or takes it out. */
export function editBlock(content: string, edit: BlockEdit): Edited {
  const { block, begin, end, duplicates } = edit
  const lines = split(content)
  const found = findBlocks(lines, begin, end)
  if ('refused' in found) return found
  const [first, ...others] = found
  if (!first) return block ? inserted(lines, [begin, ...block, end], edit) : { content }
  if (others.length > 0 && block && duplicates === 'refuse') {
    return {
      refused: `the block stands there ${found.length} times, at lines ${found.map(({ from }) => from + 1).join(', ')}`,
      hint: "duplicates: 'merge' leaves the first",
    }
  }
  const inner = block?.map((text): Line => ({ text, end: endOf(lines) })) ?? []
  return {
    content: join(
      lines.flatMap((line, index) => {
        const at = found.find(({ from, to }) => from <= index && index <= to)
        if (!at) return [line]
        if (at !== first || !block) return []
        if (index === at.from) return [line, ...inner]
        return index === at.to ? [line] : []
      }),
    ),
  }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The blocks of a text. One that does not end would take in what is not ours. */
function findBlocks(
  lines: readonly Line[],
  begin: string,
  end: string,
): readonly Range[] | Extract<Edited, { refused: string }> {
  const blocks: Range[] = []
  let from: number | undefined
  for (const [index, { text }] of lines.entries()) {
    if (text !== begin && text !== end) continue
    if ((text === begin) === (from !== undefined)) return broken(from ?? index, text === begin ? end : begin)
    if (from !== undefined) blocks.push({ from, to: index })
    from = from === undefined ? index : undefined
  }
  return from === undefined ? blocks : broken(from, end)
}

const broken = (index: number, missing: string) => ({
  refused: `the marker at line ${index + 1} has no "${missing}" that belongs to it`,
  hint: 'put the marker back, or remove the block by hand: nobody can tell where it ends',
})

function inserted(lines: readonly Line[], texts: readonly string[], where: Where): Edited {
  const index = place(lines, where)
  if (index !== undefined) return { content: join(insert(lines, index, texts)) }
  return {
    refused: `no line matches ${where.after ?? where.before}, where it is to stand`,
    hint: 'write a pattern that matches, or leave it out: at the end then',
  }
}

function place(lines: readonly Line[], { after, before, at }: Where): number | undefined {
  if (after) {
    const last = lines.findLastIndex(({ text }) => after.test(text))
    return last < 0 ? undefined : last + 1
  }
  if (before) {
    const first = lines.findIndex(({ text }) => before.test(text))
    return first < 0 ? undefined : first
  }
  return at === 'start' ? 0 : lines.length
}
