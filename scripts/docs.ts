/** Writes the tables of params into the docs, between their markers, from the zod schemas: `npm run docs`. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as modules from 'sak-reconcile/modules'
import { t3Small } from 'sak-reconcile/playbooks/t3-small'
import { codeOf } from '../src/core/code.ts'
import { type ParamReference, paramsReference } from '../src/core/reference.ts'

const root = new URL('..', import.meta.url)
const begin = '<!-- params: written by npm run docs -->'
const end = '<!-- /params -->'

interface Page {
  readonly path: string
  readonly now: string
  readonly wanted: string
}

/** Every page with a table of params, as it is and as it should be. */
export async function pages(): Promise<readonly Page[]> {
  const ofModules = Object.values(modules).map(({ moduleName, params }) => ({
    path: `modules/${moduleName}/README.md`,
    params,
  }))
  const all = [...ofModules, { path: 'playbooks/README.md', params: t3Small.params }]
  return Promise.all(
    all.map(async ({ path, params }) => {
      const now = await readFile(new URL(path, root), 'utf8')
      return { path, now, wanted: withTable(path, now, paramsReference(params)) }
    }),
  )
}

function withTable(path: string, page: string, params: readonly ParamReference[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${path} needs the lines "${begin}" and "${end}" where its params belong`)
  return `${page.slice(0, from + begin.length)}\n\n${table(params)}\n\n${page.slice(to)}`
}

function table(params: readonly ParamReference[]): string {
  const rows = params.map(param => {
    const standard =
      'default' in param ? code(codeOf(param.default, Number.POSITIVE_INFINITY)) : param.required ? 'required' : ''
    return `| ${code(param.path)} | ${code(param.type)} | ${standard} | ${cell(param.description ?? '')} |`
  })
  return ['| param | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, now, wanted } of await pages()) {
    if (now === wanted) continue
    await writeFile(new URL(path, root), wanted)
    console.log(path)
  }
}
