import { SakError } from '../../core/errors.ts'
import type { Declaration } from '../../core/inventory/declarations.ts'
import { parseHostWord } from '../../core/inventory/host-range.ts'
import { readPythonLiteral } from './python-literal.ts'
import { splitShellWords } from './shell-words.ts'
import { refuseVaultText } from './vault.ts'

interface Section {
  readonly group: string
  readonly holds: string
}

/** Where Python ends a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts these as line ends
const lineEnds = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/

/**
 * What an Ansible INI inventory declares. Values are Python literals where they are ones (`8080`, `True`, `['a']`), else text.
 * Throws SakError 'invalid-inventory' with file:line.
 */
export function parseAnsibleIni(text: string, file: string): Declaration[] {
  refuseVaultText(text, file)
  let section: Section = { group: 'ungrouped', holds: 'hosts' }
  const declarations: Declaration[] = []
  for (const [i, raw] of text
    .replace(/^\ufeff/, '')
    .split(lineEnds)
    .entries()) {
    const line = raw.trim()
    const at = `${file}:${i + 1}`
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const header = parseHeader(line, at)
    if (header) {
      section = header
      if (header.holds !== 'vars') declarations.push({ kind: 'group', group: header.group, at })
    } else if (section.holds === 'hosts')
      for (const one of parseHostLine(line, section.group, at)) declarations.push(one)
    else declarations.push(section.holds === 'vars' ? parseVar(line, section, at) : parseChild(line, section, at))
  }
  return declarations
}

function parseHeader(line: string, at: string): Section | undefined {
  const [, group, holds = 'hosts'] = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line) ?? []
  if (group === undefined) {
    if (!/^\[.*\]$/.test(line)) return undefined
    throw new SakError('invalid-inventory', `${at}: not a section: ${line}`, {
      hint: 'Write [group], [group:children] or [group:vars], without spaces.',
    })
  }
  if (['hosts', 'children', 'vars'].includes(holds)) return { group, holds }
  throw new SakError('invalid-inventory', `${at}: section [${group}:${holds}] is of an unknown kind`, {
    hint: `Write [${group}], [${group}:children] or [${group}:vars].`,
  })
}

function parseHostLine(line: string, group: string, at: string): Declaration[] {
  const words = splitShellWords(line)
  if (words === undefined) {
    throw new SakError('invalid-inventory', `${at}: a quote is not closed, or the line ends in a backslash`, {
      hint: `Quote a value that holds quotes: name="it's"`,
    })
  }
  const [word = '', ...assignments] = words
  const { names, port } = parseHostWord(word, at)
  const vars = assignments.map(assignment => {
    const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(assignment) ?? []
    if (key !== undefined) return { key, value: readPythonLiteral(value) }
    throw new SakError('invalid-inventory', `${at}: after host "${word}" comes a word without "="`, {
      hint: 'Give each host a line of its own, and quote values with spaces: key="a b".',
    })
  })
  return names.flatMap((host): Declaration[] => [
    { kind: 'host', host, port, at },
    { kind: 'member', group, host, at },
    ...vars.map(({ key, value }): Declaration => ({ kind: 'var', of: 'host', name: host, key, value, at })),
  ])
}

function parseVar(line: string, { group }: Section, at: string): Declaration {
  const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(line) ?? []
  if (key === undefined) {
    throw new SakError('invalid-inventory', `${at}: a line of section [${group}:vars] has no "="`, {
      hint: 'Write key=value; hosts belong in a section of their own.',
    })
  }
  return { kind: 'var', of: 'group', name: group, key: key.trim(), value: readPythonLiteral(value.trim()), at }
}

function parseChild(line: string, { group }: Section, at: string): Declaration {
  const [, child] = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line) ?? []
  if (child !== undefined) return { kind: 'child', group, child, at }
  throw new SakError('invalid-inventory', `${at}: a line of section [${group}:children] is not the name of a group`, {
    hint: 'Write one name a line, without ":" or spaces.',
  })
}
