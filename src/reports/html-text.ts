import { printable, wellFormed } from '../core/terminal.ts'

/** A piece of a page: what a host said is escaped in it. */
export interface Html {
  readonly markup: string
}

type Part = Html | string | number | readonly Html[] | undefined

/** Markup, with whatever is put into it escaped, for an element's text and for a quoted attribute alike. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: markup.map((text, index) => text + markupOf(parts[index])).join('') }
}

/** Markup of our own: styles and scripts. */
export const raw = (markup: string): Html => ({ markup })

function markupOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  return 'markup' in part ? part.markup : part.map(each => each.markup).join('')
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  wellFormed(printable(text)).replaceAll(/[&<>"']/g, character => escapes[character] ?? '')
