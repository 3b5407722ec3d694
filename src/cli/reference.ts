import { configSchema } from '../core/config.ts'
import { SakError } from '../core/errors.ts'
import { inventorySchema } from '../core/inventory.ts'
import { PlanFile } from '../core/plan-file.ts'
import { inputSchema, outputSchema, type Reference, referenceOf } from '../core/reference.ts'
import { Report } from '../core/report.ts'
import { builtInModules, builtInPlaybook, loadNamed } from '../loading/modules.ts'
import { builtInPlaybooks } from '../loading/playbook.ts'
import { referenceList, referencePage } from '../reports/text-reference.ts'
import type { ReferenceOptions } from './options.ts'
import { wantsColor } from './report-output.ts'
import { screen } from './screen.ts'

/** `modules [NAME]`: what there is, or all about one. */
export async function modulesCommand({ name, json, color }: ReferenceOptions): Promise<void> {
  const options = { color: wantsColor({ color }, process.stdout), width: Math.min(process.stdout.columns || 100, 120) }
  if (name === undefined) {
    const all = await everything()
    print(json ? asJson(all) : `${referenceList(all, options)}\nAll about one: sak-reconcile modules NAME`)
    return
  }
  const references = (await loadNamed(name, process.cwd())).map(referenceOf)
  print(json ? asJson(references) : references.map(each => referencePage(each, options)).join('\n'))
}

async function everything(): Promise<readonly Reference[]> {
  const modules = [...(await builtInModules()).values()]
  return [...modules, ...(await Promise.all(builtInPlaybooks.map(builtInPlaybook)))].map(referenceOf)
}

const ours: Readonly<Record<string, () => object>> = {
  report: () => outputSchema(Report),
  plan: () => outputSchema(PlanFile),
  inventory: () => inputSchema(inventorySchema),
  config: () => inputSchema(configSchema),
}

/** `schema [NAME]`: a JSON Schema, or the names of those that there are. */
export async function schemaCommand(name: string | undefined): Promise<void> {
  const names = Object.keys(ours)
  if (name === undefined) {
    print([...names, ...builtInPlaybooks, ...(await builtInModules()).keys()].join('\n'))
    return
  }
  const own = ours[name]
  if (own) {
    print(asJson(own()))
    return
  }
  const [only, ...more] = await loadNamed(name, process.cwd(), names)
  if (!only || more.length > 0) throw new SakError('usage', `${name} exports several modules or playbooks`)
  print(asJson(inputSchema(only.params)))
}

const asJson = (value: unknown) => JSON.stringify(value, null, 2)

function print(text: string): void {
  screen.print(process.stdout, `${text.trimEnd()}\n`)
}
