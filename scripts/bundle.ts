/**
 * Builds dist: few files, since every start has to find and read what it loads. `npm run build` adds the types and the templates.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { z } from 'zod'
import { licencesOf } from './licences.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

const Package = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.object({ 'sak-source': z.string(), default: z.string() })])),
})

/** Entry points by where they go, `src/index` from `./src/index.ts`. */
async function entryPoints(): Promise<Record<string, string>> {
  const { exports } = Package.parse(JSON.parse(await readFile(`${root}/package.json`, 'utf8')))
  const entries = Object.values(exports).flatMap(entry =>
    typeof entry === 'string' ? [] : [[entry.default.replace(/^\.\/dist\/|\.js$/g, ''), entry['sak-source']] as const],
  )
  return Object.fromEntries(entries)
}

/** What lies beside a module or a report (their templates) is found where the build copies it, whatever file the code has become a part of. */
const neighboursInPlace: Plugin = {
  name: 'neighbours-in-place',
  setup({ onLoad }) {
    onLoad({ filter: /\/(?:src\/reports|modules)\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const folder = `./dist/${relative(root, dirname(path))}/`
      if (!text.includes('import.meta.url')) return { loader: 'ts', contents: text }
      // on the first line, so that lines keep their numbers; why not import.meta.resolve: src/version.ts
      const imports =
        "import { createRequire as requireOf } from 'node:module'; import { pathToFileURL as urlOf } from 'node:url'; "
      const place = `new URL('${folder}', urlOf(requireOf(import.meta.url).resolve('sak-reconcile/package.json')))`
      return { loader: 'ts', contents: imports + text.replaceAll('import.meta.url', place) }
    })
  },
}

/** Takes another source in place of one that fits only where nothing is built. */
const inPlaceOf = (source: RegExp, built: string): Plugin => ({
  name: 'in-place-of',
  setup({ onResolve }) {
    onResolve({ filter: source }, () => ({ path: `${root}${built}` }))
  },
})

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
} satisfies BuildOptions

/** What projects import: shared chunks, and packages outside, so that a project has each of them once. */
const chunked = {
  outdir: 'dist',
  splitting: true,
  format: 'esm',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
} satisfies BuildOptions
await build({ ...shared, ...chunked, entryPoints: await entryPoints(), plugins: [neighboursInPlace] })

/** What is started: little, since the project's own install may be the one to run. Where it is not, built-main loads the next. */
await build({
  ...shared,
  ...chunked,
  entryPoints: { 'src/cli': 'src/cli.ts', 'src/cli/built-main': 'src/cli/built-main.ts' },
  plugins: [inPlaceOf(/^\.\/cli\/main\.ts$/, 'src/cli/built-main.ts')],
})

/**
 * The command line itself, one file with its packages inside. Outside stay jiti, which finds its own compiler beside itself, and what few
 * runs need.
 */
const { metafile, outputFiles } = await build({
  ...shared,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/src/command-line.cjs',
  format: 'cjs',
  conditions: ['sak-source'],
  external: ['jiti', 'nodemailer', 'cpu-features', '*.node'],
  plugins: [neighboursInPlace, inPlaceOf(/\/own-names\.ts$/, 'src/cli/built-names.ts')],
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  // what is outside is required: a script whose compiled code is kept has no import()
  supported: { 'dynamic-import': false },
  legalComments: 'none',
  metafile: true,
  write: false,
})
// one letter that is not ASCII, in a comment even, makes V8 keep all in two bytes for each
const ascii = (text: string) =>
  text.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
for (const { path, text } of outputFiles) await writeFile(path, ascii(text))
await writeFile(`${root}/dist/THIRD-PARTY-LICENSES.txt`, licencesOf(Object.keys(metafile.inputs), root))
