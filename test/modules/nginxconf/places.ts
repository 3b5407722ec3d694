import { type Directive, parseConfig } from '../../../modules/nginxconf/parse.ts'

/**
 * Throws unless directives stand one after the other, within their block, each reads the same when read alone, and nothing
 * but blanks and comments stands between them: no byte of a configuration is lost. What stands after an error nobody reads.
 */
export function checkPlaces(text: string): void {
  const { directives, error } = parseConfig(text)
  const whole = error === undefined
  const last = directives.reduce(
    (from, directive) => checkDirective(text, directive, { from, to: text.length, whole }),
    0,
  )
  if (whole) checkGap(text.slice(last))
}

interface Room {
  readonly from: number
  readonly to: number
  /** The text was read to its end. */
  readonly whole: boolean
}

function checkDirective(text: string, { name, args, start, end, block }: Directive, { from, to, whole }: Room): number {
  if (start < from || end > to || start >= end) throw new Error(`${name} is out of its place`)
  checkGap(text.slice(from, start))
  for (const arg of args) {
    if (arg.start <= start || arg.end > (block?.start ?? end))
      throw new Error(`an argument of ${name} is out of its place`)
    const [alone] = parseConfig(`x ${text.slice(arg.start, arg.end)};`).directives
    if (alone?.args.length !== 1 || alone.args[0]?.value !== arg.value)
      throw new Error(`an argument of ${name} reads otherwise`)
  }
  const alone = block ? undefined : parseConfig(text.slice(start, end))
  if (alone && (alone.error || alone.directives.length !== 1 || alone.directives[0]?.name !== name)) {
    throw new Error(`${name} reads otherwise alone`)
  }
  if (block) {
    const last = block.directives.reduce(
      (at, child) => checkDirective(text, child, { from: at, to: block.end, whole }),
      block.start,
    )
    if (whole && !isLua(name)) checkGap(text.slice(last, block.end))
  }
  return end
}

const isLua = (name: string) => name.endsWith('_by_lua_block')

function checkGap(gap: string): void {
  const rest = gap.replaceAll(/#[^\n]*/g, '').trim()
  if (rest !== '') throw new Error(`nobody reads ${JSON.stringify(rest)}`)
}
