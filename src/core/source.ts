import { readFileSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const largest = 8 * 1024 * 1024

/**
 * Schema of a file of this machine, to be put on hosts: an absolute path, or the URL of a file as
 * `new URL('./motd.txt', import.meta.url)` gives it, so that a playbook finds what lies beside it wherever it is run from.
 * Comes out as the path.
 */
export const SourcePath = z
  .union([z.string(), z.custom<URL>(value => value instanceof URL, { error: 'expected a path or a URL' })])
  .meta({ title: 'path or URL' })
  .transform((source, context) => {
    const text = String(source)
    if (text.startsWith('file:') && URL.canParse(text)) return fileURLToPath(text)
    if (isAbsolute(text)) return text
    context.addIssue({
      code: 'custom',
      message: `expected an absolute path or new URL('./${text.replace(/^\.\//, '')}', import.meta.url): "${text}" depends on where the command is run`,
    })
    return z.NEVER
  })

/**
 * The bytes of such a file, at most 8 MiB: larger ones are not for configuration.
 * @throws Error that names the file and what is wrong with it
 */
export function readSource(path: string): Uint8Array {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new Error(`there is no file ${path} on this machine`)
  if (!stat.isFile()) throw new Error(`${path} on this machine is not a file`)
  if (stat.size > largest) throw new Error(`${path} is larger than 8 MiB`)
  return readFileSync(path)
}
