import type { Adopted, FileRead, Host } from 'sak-reconcile'
import type { z } from 'zod'
import type { Params } from './params.ts'
import { parseLines } from './parse.ts'

type Found = z.input<typeof Params>

/** A task for each file of a cluster's conf.d. postgresql.conf itself is not ours, and stays as it is. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const files = await host.files(['/etc/postgresql/*/*/postgresql.conf', '/etc/postgresql/*/*/conf.d/*.conf'])
  const clusters = files.filter(({ path }) => path.endsWith('/postgresql.conf')).map(({ path }) => clusterOf(path))
  const found = files.filter(({ path }) => path.includes('/conf.d/')).flatMap(file => settingsOf(file, clusters))
  if (clusters.length === 0) return 'there is no PostgreSQL cluster'
  return found.length > 0 ? found : 'no file of a conf.d sets anything (what postgresql.conf sets stays there)'
}

const clusterOf = (path: string) => path.split('/').slice(3, 5).join('/')

function settingsOf({ path, content }: FileRead, clusters: readonly string[]): Found[] {
  const entries = parseLines(content ?? '').map(({ name, value }) => [name, settingOf(value)] as const)
  if (entries.length === 0) return []
  const name = path.slice(path.lastIndexOf('/') + 1)
  const given = {
    settings: Object.fromEntries(entries),
    ...(clusters.length > 1 && { cluster: clusterOf(path) }),
    ...(name !== '60-sak.conf' && { file: name }),
  }
  return [given]
}

const settingOf = (text: string): string | number => (String(Number(text)) === text ? Number(text) : text)
