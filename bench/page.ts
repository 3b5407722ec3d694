import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface Page {
  readonly title: string
  /** When and where it was measured. */
  readonly about: string
  /** What plots.mjs draws. */
  readonly data: object
}

/** Writes a page with plots, which needs nothing else: no network, no server. */
export async function writePage({ title, about, data }: Page, path: string): Promise<void> {
  const script = await bundled(fileURLToPath(new URL('plots.mjs', import.meta.url)))
  await writeFile(
    path,
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h2 { font-size: 1.15rem; margin: 2rem 0 0 }
p { margin: 0.2rem 0 0.6rem; color: #555 }
</style>
</head>
<body>
<h1>${title}</h1>
<p>${about}</p>
<main></main>
<script id="data" type="application/json">${json(data)}</script>
<script>${script}</script>
</body>
</html>
`,
  )
}

/** JSON that may stand in a script element. */
const json = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'iife',
    write: false,
    logLevel: 'warning',
  })
  return (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script')
}
