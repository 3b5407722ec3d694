/** What a secret looks like where it leaks: written down here once more, apart from the code that is tested. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Lines by which a value is known, whatever it went through: raw, quoted for shells, in JSON, SQL, HTML, URLs, hex, base64 wherever in it. */
export function needlesOf(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const json = JSON.stringify(value)
  const forms = [
    value,
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", `'"'"'`),
    value.replaceAll("'", "''"),
    value.replaceAll('\\', '\\\\').replaceAll("'", "''"),
    value.replaceAll(/["\\$`]/g, '\\$&'),
    json.slice(1, -1),
    JSON.stringify(json).slice(3, -3),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
    encodeURIComponent(value),
    encodeURIComponent(value).toLowerCase(),
    new URLSearchParams([['', value]]).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('base64').slice(0, -4),
    Buffer.concat([Buffer.from('x'), bytes])
      .toString('base64')
      .slice(4, -4),
    Buffer.concat([Buffer.from('xy'), bytes])
      .toString('base64')
      .slice(4, -4),
  ]
  const lines = forms.flatMap(form => form.split('\n'))
  return [...new Set(lines.filter(line => line.length >= 8 && !line.startsWith('-----')))]
}

/** Where needles stand in a text, as the lines around them. */
export function found(text: string, needles: readonly string[]): readonly string[] {
  return needles
    .filter(needle => text.includes(needle))
    .map(needle => {
      const at = text.indexOf(needle)
      return `${needle}: …${text.slice(Math.max(0, at - 60), at + needle.length + 60)}…`
    })
}

/** Files below a folder that hold a needle. */
export function filesWith(folder: string, needles: readonly string[]): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(name => join(folder, String(name)))
    .filter(path => statSync(path).isFile() && found(readFileSync(path, 'latin1'), needles.map(latin1)).length > 0)
    .sort()
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
