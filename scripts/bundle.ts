/**
 * Builds dist: each entry point of package.json as one file with shared chunks, since every start has to find and read what it loads.
 * Packages stay outside, so that a project has each of them once. `npm run build` adds the types and the templates.
 */
import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { z } from 'zod'

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
  return { 'src/cli': './src/cli.ts', ...Object.fromEntries(entries) }
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

await build({
  absWorkingDir: root,
  entryPoints: await entryPoints(),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  plugins: [neighboursInPlace],
  logLevel: 'warning',
})
