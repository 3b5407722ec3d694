import type { Adopted, FileRead, Host } from 'sak-reconcile'
import { parseAssignments } from './parse.ts'

interface Found {
  readonly settings: Readonly<Record<string, string | number>>
  readonly path?: string
}

/** A task for each file that sets something at boot and can be ours. */
export async function adopt(host: Host): Promise<Adopted<Found>> {
  const found = (await host.files(['/etc/sysctl.d/*.conf'])).flatMap(settingsOf)
  return found.length > 0 ? found : 'no file in /etc/sysctl.d sets anything'
}

function settingsOf(file: FileRead): Found[] {
  const entries = parseAssignments(file).flatMap(({ key, value }) =>
    value === null ? [] : [[key, String(Number(value)) === value ? Number(value) : value] as const],
  )
  if (entries.length === 0) return []
  const settings = Object.fromEntries(entries)
  return [{ settings, ...(file.path !== '/etc/sysctl.d/60-sak.conf' && { path: file.path }) }]
}
