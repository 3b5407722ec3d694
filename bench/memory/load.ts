/** Brings a host under the load that the memory budget plans for: every connection busy, the app at its limit. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { TestHost } from '../../test/e2e/harness.ts'

const root = { root: true, timeoutMs: 600_000 } as const
const postgres = { as: 'postgres', timeoutMs: 600_000 } as const
const here = (name: string) => readFile(fileURLToPath(new URL(name, import.meta.url)), 'utf8')
const put = async (host: TestHost, name: string, path: string) =>
  host.exec(`cat >${path} && chmod 644 ${path}`, { ...root, stdin: await here(name) })

/** Puts the app that can grow in the place of the stock one, before the playbook is applied. */
export const installApp = (host: TestHost) => put(host, 'app.cjs', '/var/www/sak-whatsapp-api/server.js')

export interface Load {
  /** MiB that the app is to have resident. */
  readonly appMiB: number
  /** Connections to nginx with a request half sent. */
  readonly requests: number
  /** Sessions of PostgreSQL that hold a sort, beside one that makes an index. */
  readonly sessions: number
}

/** Starts it all; what makes the load runs in units `load-*`, so that it can be told apart. */
export async function startLoad(host: TestHost, { appMiB, requests, sessions }: Load): Promise<void> {
  await put(host, 'requests.cjs', '/tmp/requests.cjs')
  await put(host, 'session.sql', '/tmp/session.sql')
  const pgbench = '/usr/lib/postgresql/15/bin/pgbench'
  await host.exec(`cd /tmp && ${pgbench} -q -i -s 9 -I dtGvp postgres`, postgres)
  await host.exec("cd /tmp && psql -qc 'CREATE EXTENSION IF NOT EXISTS pg_prewarm'", postgres)
  await host.exec(`curl -sf -H 'Host: load.test' http://127.0.0.1/grow/${appMiB}`, root)
  const unit = (name: string, user: string, command: string) =>
    host.exec(
      `systemd-run --quiet --unit=load-${name} --uid=${user} -p LimitNOFILE=8192 -p WorkingDirectory=/tmp ${command}`,
      root,
    )
  await unit('http', 'ubuntu', `$(command -v node) /tmp/requests.cjs ${requests}`)
  await unit('sessions', 'postgres', `${pgbench} -n -c ${sessions} -t 1 -f /tmp/session.sql postgres`)
  await host.exec(
    "cd /tmp && psql -qXAtc \"SELECT pg_prewarm('pgbench_accounts'), pg_prewarm('pgbench_accounts_pkey')\"",
    postgres,
  )
  await unit(
    'index',
    'postgres',
    'sh -c \'while :; do psql -qc "CREATE INDEX i ON pgbench_accounts (bid, aid, abalance); DROP INDEX i"; done\'',
  )
  const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
  await host.exec(`cd /tmp; until [ "$(psql -qXAtc "${sleeping}")" = ${sessions} ]; do sleep 2; done`, postgres)
}

export const stopLoad = (host: TestHost) => host.exec("systemctl stop 'load-*'", root)
