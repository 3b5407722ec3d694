import { readFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { dirname } from 'node:path'
import { getHeapCodeStatistics } from 'node:v8'
import { Script } from 'node:vm'
import { codeKey, keepCode, readCode } from './code-cache.ts'

export interface LoadedScript {
  readonly exports: unknown
  /** Whether its code was there, so that V8 compiled nothing. */
  readonly wasKept: boolean
  /**
   * To be called when it has run: keeps its code, with all functions that were needed, unless that is there already. V8 tells only how much
   * code there is of everything: where `hasMore` than other runs, from elsewhere, it says nothing of what is missing.
   */
  keep(found: { hasMore: boolean }): void
}

type Wrapped = (exports: object, require: NodeJS.Require, module: object, path: string, folder: string) => void

/** Runs a CommonJS script, by the code that V8 made of it last time where a folder has it. */
export function loadScript(path: string, folder: string | undefined): LoadedScript {
  const source = readFileSync(path)
  const key = codeKey(source)
  const kept = folder === undefined ? undefined : readCode(folder, key)
  const options = { filename: path, ...(kept && { cachedData: kept.data }) }
  const script = new Script(Module.wrap(source.toString()), options)
  const wasKept = script.cachedDataRejected === false
  const module = { exports: {} }
  const run: Wrapped = script.runInThisContext()
  run(module.exports, createRequire(path), module, path, dirname(path))
  return {
    exports: module.exports,
    wasKept,
    keep({ hasMore }) {
      const size = hasMore ? 0 : getHeapCodeStatistics().bytecode_and_metadata_size
      if (folder === undefined || (wasKept && kept && (hasMore || size < kept.size * 1.1))) return
      keepCode(folder, key, { size, data: script.createCachedData() })
    },
  }
}
