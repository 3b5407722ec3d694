import type { Footprint, HostFacts } from 'sak-reconcile'
import { sizeInBytes } from './directives.ts'
import { type Params, setting } from './params.ts'

/** Debian's nginx.conf: `worker_processes auto` is one for each core, with 768 connections. */
const connections = 768

/** A worker's own memory, in MiB: measured on nginx 1.22 (PSS). */
const perWorker = 1

/**
 * What nginx takes for a connection with a request beside their buffers, in bytes: connection_pool_size 512, and two blocks of
 * request_pool_size 4k, since the state of a proxied request does not fit in one. Measured with 1,400 requests half sent: 8 KiB.
 */
const perConnection = 512 + 2 * 4096

/** Each worker with all its connections reading a request, and the zones that workers share. */
export function footprint({ http }: Params, { cores }: HostFacts): Footprint {
  const settings = Object.entries(http).flatMap(([name, value]) => [value].flat().map(text => setting(name, text)))
  const first = (name: string) => sizeInBytes(settings.find(each => each.name === name)?.args[0] ?? '')
  // nginx's manual: 1k and 16k are the defaults on 64 bits
  const header = first('client_header_buffer_size') ?? 1024
  const body = first('client_body_buffer_size') ?? 16 * 1024
  const zones = settings.flatMap(({ args }) => args.flatMap(arg => zoneBytes(arg)))
  const zonesMiB = zones.reduce((sum, bytes) => sum + bytes, 0) / 1024 ** 2
  const workerMiB = perWorker + (connections * (perConnection + header + body)) / 1024 ** 2
  const what = `${cores} workers x ${Math.ceil(workerMiB)}${zonesMiB > 0 ? ` + zones ${Math.ceil(zonesMiB)}` : ''}`
  return { MiB: cores * workerMiB + zonesMiB, what }
}

/** `keys_zone=api_cache:10m`, `zone=one:10m`, `shared:SSL:10m`. */
function zoneBytes(arg: string): number[] {
  const [, size = ''] = /^(?:keys_zone=|zone=|shared:)[^:]+:(\w+)$/.exec(arg) ?? []
  const bytes = sizeInBytes(size)
  return bytes === undefined ? [] : [bytes]
}
