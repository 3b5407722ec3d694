import { codeOf } from './core/code.ts'
import { printable } from './core/terminal.ts'
import type { Adoption, Candidate } from './engine/adopt.ts'
import { maskSecrets } from './testing/mask.ts'

export interface AdoptedPlaybook {
  readonly code: string
  /** How many tasks are in sync, and so stand in it. */
  readonly tasks: number
}

/** The source of a playbook: a task for all that is in sync, comments for the rest. Secrets are masked, and what has one is a comment. */
export function adoptedCode(name: string, origin: string, adoptions: readonly Adoption[]): AdoptedPlaybook {
  const owned = new Set<string>()
  const labels = new Map<string, number>()
  const used = new Set<string>()
  const entries = adoptions.flatMap(({ module, candidates, why }) => {
    if (why !== undefined) return [comment(`${module}: ${why}`)]
    return candidates.map(candidate => {
      const { call, reason } = callOf(candidate, owned)
      if (reason !== undefined) return comment(`not in sync: ${reason}\n${call({})}`)
      for (const thing of candidate.task?.owns ?? []) owned.add(thing)
      const number = (labels.get(module) ?? 0) + 1
      labels.set(module, number)
      used.add(module)
      return `    ${call(number > 1 ? { label: `${module}-${number}` } : {})},`
    })
  })
  return { code: source({ name, origin, used: [...used].sort(), entries }), tasks: sum(labels.values()) }
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, each) => all + each, 0)

/** The call that makes a task, and why it must not be made. */
function callOf({ module, input, task, why }: Candidate, owned: ReadonlySet<string>) {
  const { masked, count } = maskSecrets(input)
  const call = (options: { label?: string }) =>
    `${module}(${[masked, ...(options.label === undefined ? [] : [options])].map(each => codeOf(each, 110, '    ')).join(', ')})`
  const twice = task?.owns.find(thing => owned.has(thing))
  const secret = count > 0 ? 'it holds what looks like a secret, masked here: give it with secret.env' : undefined
  const reason = why ?? secret ?? (twice === undefined ? undefined : `a task above owns ${twice} too`)
  return { call, reason }
}

function source(parts: { name: string; origin: string; used: readonly string[]; entries: readonly string[] }): string {
  const { name, origin, used, entries } = parts
  const imports = used.length === 0 ? '' : `import { ${used.join(', ')} } from ${codeOf('sak-reconcile/modules')}\n`
  return `// ${oneLine(origin)}
// Every task here was in sync on that host. What is a comment is not kept by this playbook.
import { definePlaybook } from ${codeOf('sak-reconcile')}
${imports}
export default definePlaybook({
  name: ${codeOf(name)},
  tasks: () => [
${entries.join('\n')}
  ],
})
`
}

const oneLine = (text: string) => printable(maskSecrets(text).masked).replaceAll(/[\n\u2028\u2029]+/g, ' ')

const comment = (text: string) =>
  text
    .split('\n')
    .map(line => `    // ${oneLine(line).replace(/^ {4}/, '')}`)
    .join('\n')
