import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Results } from './results.ts'
import { spread } from './results.ts'
import { peakOf } from './table.ts'

/** One page with plots of the results, which needs nothing else: no network, no server. */
export async function writePage(results: Results, path: string): Promise<void> {
  const script = await bundled(fileURLToPath(new URL('plots.mjs', import.meta.url)))
  const { at, node, cores, commit } = results
  await writeFile(
    path,
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sak-reconcile bench</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h2 { font-size: 1.15rem; margin: 2rem 0 0 }
p { margin: 0.2rem 0 0.6rem; color: #555 }
</style>
</head>
<body>
<h1>What work on hosts over SSH costs</h1>
<p>${at.slice(0, 10)}, commit ${commit}, Node ${node}, ${cores} cores for client and hosts together. Medians.</p>
<main></main>
<script id="data" type="application/json">${json(dataOf(results))}</script>
<script>${script}</script>
</body>
</html>
`,
  )
}

/** A number of a contender for each plot, and what its memory was over time. */
function dataOf({ series }: Results) {
  const most = Math.max(...series.map(({ hosts }) => hosts))
  return {
    points: series.map(each => {
      const { scenario, hosts, forks, delayMs, who } = each
      const wall = spread(each.wallMs)
      const { median: cpuMs } = spread(each.cpuMs)
      return { scenario, hosts, forks, delayMs, who, wall, cpuMsPerHost: cpuMs / hosts, peakMiB: peakOf(each) }
    }),
    memory: series.flatMap(({ who, scenario, hosts, forks, delayMs, memory = [] }) =>
      who === 'ours' && hosts === most
        ? memory.map(({ atMs, MiB }) => ({ run: runName(scenario, hosts, forks, delayMs), atMs, MiB }))
        : [],
    ),
  }
}

const runName = (scenario: string, hosts: number, forks: number, delayMs: number) =>
  `${scenario}, ${hosts} host${hosts === 1 ? '' : 's'}, ${forks} at once${delayMs > 0 ? `, RTT ${delayMs} ms` : ''}`

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
