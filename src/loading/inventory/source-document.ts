import type { Locate } from '../../core/inventory/declarations.ts'
import { parseJson } from './json.ts'
import { refuseVaultText } from './vault.ts'

/** The data of a JSON or YAML file, and where in the file each part of it stands. An empty document is null. */
export interface SourceDocument {
  readonly data: unknown
  readonly locate: Locate
}

/**
 * Reads JSON, or YAML as Ansible reads it; the parser of YAML is loaded only for what is no JSON.
 * Throws SakError 'invalid-inventory' with file:line for text that cannot be parsed, keys given twice and encrypted values.
 */
export async function parseSource(text: string, file: string): Promise<SourceDocument> {
  refuseVaultText(text, file)
  return parseJson(text, file) ?? (await import('./yaml.ts')).parseYaml(text, file)
}
