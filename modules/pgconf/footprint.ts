import type { Footprint } from 'sak-reconcile'
import { bytesOf, isMemory, type Params, settingsOf } from './params.ts'

/** PostgreSQL's own defaults (manual, 20.3 and 20.4), in MiB; `-1` of wal_buffers is 1/32 of shared_buffers, up to 16. */
const defaults = { shared_buffers: 128, work_mem: 4, maintenance_work_mem: 64, wal_buffers: -1, max_connections: 100 }

/**
 * A session's own memory beside work_mem, in MiB: the process, its page tables and its caches of the catalogue and of plans. Measured
 * on PostgreSQL 15: 1.4 under pgbench, 12 after a session had touched 100 tables with 100 prepared statements.
 */
const perSession = 3

/** Shared buffers, every connection busy with one sort or hash, one maintenance command, and the WAL buffers. */
export function footprint(params: Params): Footprint {
  const settings = settingsOf(params)
  const mebibytes = (name: keyof typeof defaults) => memoryMiB(settings.get(name)) ?? defaults[name]
  const [shared, work, maintenance] = [
    mebibytes('shared_buffers'),
    mebibytes('work_mem'),
    mebibytes('maintenance_work_mem'),
  ]
  const wal = mebibytes('wal_buffers')
  const walBuffers = wal < 0 ? Math.min(16, shared / 32) : wal
  const connections = Number(settings.get('max_connections') ?? defaults.max_connections)
  const what = `shared_buffers ${round(shared)} + ${connections} connections x (work_mem ${round(work)} + ${perSession}) + maintenance_work_mem ${round(maintenance)} + wal_buffers ${round(walBuffers)}`
  return { MiB: shared + connections * (work + perSession) + maintenance + walBuffers, what }
}

function memoryMiB(text: string | undefined): number | undefined {
  return isMemory(text) ? bytesOf(text) / 1024 ** 2 : undefined
}

const round = (MiB: number) => Math.round(MiB * 10) / 10
