import type { Adopted, Host, Size } from 'sak-reconcile'
import { swapFilesIn } from './fstab.ts'

interface Found {
  readonly path: string
  readonly size: Size
}

const MiB = 1024 ** 2

/** A task for each swap file of fstab; its priority stays the one that stands there. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const paths = swapFilesIn((await host.file('/etc/fstab')).content ?? '')
  const found = await Promise.all(paths.map(async path => ({ path, stat: await host.stat(path) })))
  const files = found.flatMap(({ path, stat }): Found[] =>
    stat?.type === 'file' ? [{ path, size: sizeOf(stat.size) }] : [],
  )
  return files.length > 0 ? files : '/etc/fstab has no swap file that is there'
}

const sizeOf = (bytes: number): Size =>
  bytes % (1024 * MiB) === 0 ? `${bytes / (1024 * MiB)}G` : `${Math.floor(bytes / MiB)}M`
