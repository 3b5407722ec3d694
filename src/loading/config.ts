import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Config, defineConfig } from '../core/config.ts'
import { isSakError, SakError } from '../core/errors.ts'
import { findUp } from './find-up.ts'
import { type Cwd, importDefault } from './source.ts'

/** A project's config, and the folder that its paths are relative to. */
export interface LoadedConfig {
  readonly config: Config
  readonly path: string
  readonly folder: Cwd
}

const names = ['sak.config.ts', 'sak.config.js', 'sak.config.mjs', 'sak.config.json']

/** Finds and loads the config of the project that a folder lies in. Throws SakError `invalid-config`. */
export async function loadConfig(cwd: Cwd): Promise<LoadedConfig | undefined> {
  const path = findUp(cwd, names)
  if (path === undefined) return undefined
  const folder = dirname(path)
  const value = path.endsWith('.json')
    ? parseJson(await readFile(path, 'utf8'), path)
    : await importDefault(path, folder)
  if (typeof value !== 'object' || value === null) {
    throw new SakError('invalid-config', `${path} has no config as its default export`, {
      hint: 'export default defineConfig({ playbook: ..., inventory: ... })',
    })
  }
  try {
    return { config: defineConfig(value), path, folder }
  } catch (error) {
    if (!isSakError(error)) throw error
    const hint = error.hint === undefined ? {} : { hint: error.hint }
    throw new SakError(error.code, `${path}: ${error.message}`, { ...hint, cause: error })
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SakError('invalid-config', `${path} is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}
