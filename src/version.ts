import { readFileSync } from 'node:fs'
import { z } from 'zod'

const Package = z.object({ version: z.string() })

/** The version of this copy of the package. */
export function version(): string {
  const up = import.meta.url.endsWith('.ts') ? '..' : '../..'
  return Package.parse(JSON.parse(readFileSync(new URL(`${up}/package.json`, import.meta.url), 'utf8'))).version
}
