/** What a history could be kept in: files, as it is, and embedded databases that run on Node 20 without an install script. */
import { open as openFile, readFile, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { DriftEvent, DriftItem } from '../src/core/drift.ts'
import { Commit, type CommitInput } from '../src/drift/state.ts'
import { openStore, readHistory } from '../src/drift/store.ts'
import { timelineOf } from '../src/drift/timeline.ts'

/** A store that is open. */
export interface Kept {
  /** On the disk when it resolves. */
  append(commit: CommitInput): Promise<void>
  /** All at once, to fill it. */
  fill(commits: readonly CommitInput[]): Promise<void>
  /** How many runs there were since then, and events read and parsed. */
  timeline(since: string): Promise<{ readonly runs: number; readonly events: number }>
  close(): Promise<void>
}

export interface Candidate {
  readonly name: string
  /** The package, with its version; none of its install scripts is run. */
  readonly package?: string
  open(folder: string, packages: string): Promise<Kept>
}

const files: Candidate = {
  name: 'files',
  async open(folder) {
    const append = async (commit: CommitInput) => {
      await (await openStore(folder, commit.at)).commit(commit)
    }
    return {
      append,
      fill: async commits => {
        const store = await openStore(folder, commits[0]?.at ?? '')
        for (const commit of commits) await store.commit(commit)
      },
      timeline: async since => {
        const history = await readHistory(folder, since)
        const { runs } = timelineOf(history, () => true, since)
        return { runs, events: history.commits.filter(({ at }) => at >= since).flatMap(({ events }) => events).length }
      },
      close: async () => {},
    }
  },
}

const schema = `
create table if not exists runs (seq integer primary key, at text, body text);
create index if not exists runs_at on runs (at);
create table if not exists events (id text primary key, at text, body text);
create index if not exists events_at on events (at);
create table if not exists items (id text primary key, body text);
`
const Count = z.object({ runs: z.number() })
const Body = z.object({ body: z.string() })

/** What the three SQLites have in common. */
interface Sql {
  exec(sql: string): void
  run(sql: string, values: readonly string[]): void
  all(sql: string, values: readonly string[]): readonly unknown[]
  /** Writes what the library keeps in memory. */
  save(): Promise<void>
  close(): void
}

function kept(sql: Sql): Kept {
  const put = (input: CommitInput) => {
    const { at, run, items, closed, events } = Commit.parse({ ...input, seq: 0 })
    if (run) sql.run('insert into runs (at, body) values (?, ?)', [at, JSON.stringify(run)])
    for (const item of items) sql.run('insert or replace into items values (?, ?)', [item.id, JSON.stringify(item)])
    for (const id of closed) sql.run('delete from items where id = ?', [id])
    for (const event of events) sql.run('insert into events values (?, ?, ?)', [event.id, at, JSON.stringify(event)])
  }
  const fill = async (commits: readonly CommitInput[]) => {
    sql.exec(schema)
    sql.exec('begin immediate')
    for (const commit of commits) put(commit)
    sql.exec('commit')
    await sql.save()
  }
  return {
    append: commit => fill([commit]),
    fill,
    timeline: async since => {
      const [counted] = sql.all('select count(*) as runs from runs where at >= ?', [since])
      const events = sql.all('select body from events where at >= ? order by at', [since]).map(parsed(DriftEvent))
      sql.all('select body from items', []).map(parsed(DriftItem))
      return { runs: Count.parse(counted).runs, events: events.length }
    },
    close: async () => sql.close(),
  }
}

const parsed = (schema: z.ZodType) => (row: unknown) => schema.parse(JSON.parse(Body.parse(row).body))

/** A package that is there only while this runs. */
const load = (packages: string, name: string): unknown => createRequire(join(packages, 'x.js'))(name)

/** A class that such a package exports, of which no more is known than that it is one. */
const classOf = <Instance>() => z.custom<new (file: unknown) => Instance>(value => typeof value === 'function')

interface WasmDatabase {
  exec(sql: string): void
  run(sql: string, values: readonly string[]): void
  all(sql: string, values: readonly string[]): readonly unknown[]
  close(): void
}
const Wasm = z.object({ Database: classOf<WasmDatabase>() })

interface LibsqlDatabase {
  exec(sql: string): void
  prepare(sql: string): {
    run(...values: readonly string[]): void
    all(...values: readonly string[]): readonly unknown[]
  }
  close(): void
}
const Libsql = classOf<LibsqlDatabase>()

interface SqljsDatabase {
  exec(sql: string, values?: readonly string[]): readonly { columns: readonly string[]; values: readonly unknown[][] }[]
  run(sql: string, values: readonly string[]): void
  export(): Uint8Array
  close(): void
}
const Sqljs = z.object({ Database: classOf<SqljsDatabase>() })
const loadSqljs = z.custom<() => Promise<unknown>>(value => typeof value === 'function')

const wasm: Candidate = {
  name: 'node-sqlite3-wasm',
  package: 'node-sqlite3-wasm@0.8.60',
  async open(folder, packages) {
    const { Database } = Wasm.parse(load(packages, 'node-sqlite3-wasm'))
    const database = new Database(join(folder, 'history.db'))
    return kept({
      exec: sql => database.exec(sql),
      run: (sql, values) => database.run(sql, values),
      all: (sql, values) => database.all(sql, values),
      save: async () => {},
      close: () => database.close(),
    })
  },
}

const libsql: Candidate = {
  name: 'libsql',
  package: 'libsql@0.5.29',
  async open(folder, packages) {
    const Database = Libsql.parse(load(packages, 'libsql'))
    const database = new Database(join(folder, 'history.db'))
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000')
    return kept({
      exec: sql => database.exec(sql),
      run: (sql, values) => database.prepare(sql).run(...values),
      all: (sql, values) => database.prepare(sql).all(...values),
      save: async () => {},
      close: () => database.close(),
    })
  },
}

const sqljs: Candidate = {
  name: 'sql.js',
  package: 'sql.js@1.16.0',
  async open(folder, packages) {
    const path = join(folder, 'history.db')
    const { Database } = Sqljs.parse(await loadSqljs.parse(load(packages, 'sql.js'))())
    const database = new Database(await readFile(path).catch(() => undefined))
    return kept({
      exec: sql => database.exec(sql),
      run: (sql, values) => database.run(sql, values),
      all: (sql, values) => {
        const [{ columns, values: rows } = { columns: [], values: [] }] = database.exec(sql, values)
        return rows.map(row => Object.fromEntries(columns.map((column, index) => [column, row[index]])))
      },
      save: async () => {
        const file = await openFile(`${path}.tmp`, 'w')
        await file.writeFile(database.export())
        await file.datasync()
        await file.close()
        await rename(`${path}.tmp`, path)
      },
      close: () => database.close(),
    })
  },
}

export const candidates: readonly Candidate[] = [files, libsql, wasm, sqljs]
