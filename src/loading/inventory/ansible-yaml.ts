import { SakError } from '../../core/errors.ts'
import type { Declaration, Locate } from '../../core/inventory/declarations.ts'
import { parseHostWord } from '../../core/inventory/host-range.ts'
import { didYouMean } from '../../core/nearest.ts'
import type { SourceDocument } from './source-document.ts'
import { declareVars, kindOfValue, type Mapping, mappingAt, within } from './values.ts'

const groupKeys = ['hosts', 'children', 'vars']

/**
 * What an Ansible YAML inventory declares: groups by name, each with `hosts`, `children` and `vars`, all three mappings.
 * Throws SakError 'invalid-inventory' with file:line, also for the keys that Ansible skips with a warning.
 */
export function parseAnsibleYaml({ data, locate }: SourceDocument): Declaration[] {
  const groups = mappingAt(data, 'the inventory', locate([]), 'Begin it with a group, such as "all:".')
  if (typeof groups.plugin === 'string') {
    throw new SakError(
      'invalid-inventory',
      `${locate(['plugin'])}: this configures Ansible's plugin ${groups.plugin}`,
      {
        hint: 'Give an executable instead that calls: ansible-inventory -i THIS_FILE --list',
      },
    )
  }
  return parseGroups(groups, locate)
}

function parseGroups(groups: Mapping, locate: Locate): Declaration[] {
  return Object.entries(groups).flatMap(([name, group]) => parseGroup(name, group, within(locate, name)))
}

function parseGroup(name: string, group: unknown, locate: Locate): Declaration[] {
  const hint = `A group has ${groupKeys.join(', ')}.`
  const fields = mappingAt(group, `group "${name}"`, locate([]), hint)
  const unknown = Object.keys(fields).find(key => !groupKeys.includes(key))
  if (unknown !== undefined) {
    throw new SakError('invalid-inventory', `${locate([unknown])}: group "${name}" has an unknown key "${unknown}"`, {
      hint: didYouMean(unknown, groupKeys) ?? hint,
    })
  }
  const section = (key: string) => sectionOf(fields[key], `${key} of group "${name}"`, locate([key]))
  const children = section('children')
  const vars = section('vars')
  return [
    { kind: 'group', group: name, at: locate([]) },
    ...declareVars({ of: 'group', name }, vars, key => locate(['vars', key])),
    ...Object.keys(children).map(
      (child): Declaration => ({ kind: 'child', group: name, child, at: locate(['children', child]) }),
    ),
    ...parseGroups(children, within(locate, 'children')),
    ...Object.entries(section('hosts')).flatMap(([word, own]) =>
      parseHosts(name, word, own, within(locate, 'hosts', word)),
    ),
  ]
}

/** A section's mapping; a lone name stands for itself with nothing below it. */
function sectionOf(value: unknown, what: string, at: string): Mapping {
  if (typeof value === 'string') return { [value]: null }
  return mappingAt(value, what, at, 'Write each name as a key, with a colon: "web1:".')
}

function parseHosts(group: string, word: string, own: unknown, locate: Locate): Declaration[] {
  const at = locate([])
  const vars = mappingAt(own, `host "${word}"`, at, `Below a host come its variables, not ${kindOfValue(own)}.`)
  const { names, port } = parseHostWord(word, at)
  return names.flatMap((host): Declaration[] => [
    { kind: 'host', host, port, at },
    { kind: 'member', group, host, at },
    ...declareVars({ of: 'host', name: host }, vars, key => locate([key])),
  ])
}
