import { readFile } from 'node:fs/promises'
import type { SecretSource } from '../../core/drift-config.ts'

/** The value that a config names. Throws where the environment or the file does not have it; it never says the value. */
export async function secretValue(source: SecretSource): Promise<string> {
  if (typeof source === 'string') return source
  if ('env' in source) {
    const value = process.env[source.env]
    if (value) return value
    throw new Error(`the environment has no ${source.env}`)
  }
  const [line = ''] = (await readFile(source.file, 'utf8')).split(/\r?\n/)
  if (line === '') throw new Error(`${source.file} has no first line`)
  return line
}
