import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const Manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional() })

/** The packages that files lie in, from `node_modules/zod/v4/core.js`, each once. */
const packagesOf = (files: readonly string[]): readonly string[] =>
  [...new Set(files.flatMap(file => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []))].sort()

/** What the authors of bundled packages ask to be kept with their code: name, version and the text of the licence of each. */
export function licencesOf(files: readonly string[], root: string): string {
  const texts = packagesOf(files).map(folder => {
    const { name, version, license } = Manifest.parse(
      JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
    )
    const file = readdirSync(join(root, folder)).find(name => /^licen[cs]e/i.test(name))
    if (file === undefined && license === undefined) throw new Error(`${folder} names no licence: it cannot be bundled`)
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(root, folder, file), 'utf8').trim()
    const notice = join(root, folder, 'NOTICE')
    return `${name} ${version}\n\n${text}\n${existsSync(notice) ? `\n${readFileSync(notice, 'utf8').trim()}\n` : ''}`
  })
  return `dist/src/command-line.cjs contains these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
