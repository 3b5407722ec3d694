import { blocked, type Host } from 'sak-reconcile'

/** What is in a directory, at any depth: how many entries, and the names of the first. */
export interface Contents {
  readonly entries: number
  readonly names: readonly string[]
}

export const nothing: Contents = { entries: 0, names: [] }

const shown = 20
// a byte for each entry, then the first names, which may hold line breaks
const list = `find "$1" -mindepth 1 -printf . | wc -c && find "$1" -mindepth 1 -printf '%P\\0' | head -z -n ${shown}`

/** Looks into a directory. What may not be listed is `needs-root`, and never empty. */
export async function readContents(host: Host, path: string): Promise<Contents> {
  const { stdout, stderr } = await host.command(['sh', '-c', list, 'sh', path], { dependsOn: [path, `${path}/*`] })
  if (/permission denied/i.test(stderr)) throw blocked('needs-root', `only root may list all that is in ${path}`)
  const end = stdout.indexOf('\n')
  const names = stdout
    .slice(end + 1)
    .split('\0')
    .slice(0, -1)
  return { entries: Number(stdout.slice(0, end)), names: names.sort() }
}

/** The file systems that are mounted on a path or below it. */
export async function mountsBelow(host: Host, path: string): Promise<readonly string[]> {
  const { content } = await host.file('/proc/self/mounts')
  const points = (content ?? '').split('\n').map(line => unescaped(line.split(' ')[1] ?? ''))
  return [...new Set(points.filter(point => point === path || point.startsWith(`${path}/`)))]
}

const unescaped = (point: string) =>
  point.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
