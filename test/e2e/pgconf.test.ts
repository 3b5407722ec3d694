import fc from 'fast-check'
import { definePlaybook, type ReconcileOptions, reconcile } from 'sak-reconcile'
import { pgconf } from 'sak-reconcile/modules'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { parseLines } from '../../modules/pgconf/parse.ts'
import { meaningOf, type Setting, show } from '../../modules/pgconf/values.ts'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
const main = '/etc/postgresql/15/main'
const ours = `${main}/conf.d/60-sak.conf`
const auto = '/var/lib/postgresql/15/main/postgresql.auto.conf'
type Params = z.input<typeof pgconf.params>

/** The guide's section 2. */
const guide = {
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  maintenance_work_mem: '32MB',
  work_mem: '2MB',
  max_connections: 50,
  checkpoint_completion_target: 0.9,
  wal_buffers: '4MB',
  random_page_cost: 1.1,
  effective_io_concurrency: 200,
} as const
const settings: Params['settings'] = guide

async function run(params: Params, options: Partial<ReconcileOptions> & { become?: boolean } = {}) {
  const { become = true, ...rest } = options
  const inventory = inventoryOf([host])
  for (const each of Object.values(inventory.hosts)) each.become = become
  const report = await reconcile({
    playbook: definePlaybook({ name: 'database', tasks: () => [pgconf(params)] }),
    inventory,
    allowOverBudget: true, // the memory of these hosts is not the point
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
    ...rest,
  })
  const [task] = report.hosts[0]?.tasks ?? []
  if (!task) throw new Error(`no task: ${JSON.stringify(report.hosts)}`)
  return { ...task, keys: task.changes.map(change => change.key), trips: report.hosts[0]?.roundTrips }
}

const dry = (params: Params, options: Parameters<typeof run>[1] = {}) => run(params, { ...options, dryRun: true })

async function isInSync(t: Test, params: Params, message = 'a second look finds nothing to do') {
  t.match(await dry(params), { status: 'ok', keys: [], trips: 2 }, message)
}

async function isMended(t: Test, params: Params, message: string) {
  t.match(await run(params), { status: 'changed', error: null }, message)
  await isInSync(t, params)
}

const sql = (statement: string, port = '5432') =>
  // not Debian's wrapper, which stumbles over a broken configuration
  host.output(`/usr/lib/postgresql/15/bin/psql -XAtq -h /var/run/postgresql -p ${port} -d postgres`, {
    as: 'postgres',
    stdin: statement,
  })
const value = (name: string, port?: string) => sql(`SHOW ${name}`, port)
const postmaster = () => host.output('head -1 /var/lib/postgresql/15/main/postmaster.pid', root)
const digest = () =>
  host.output(
    `cd / && find ${main} ${auto} -type f | sort | xargs stat -c '%n %a %U %G' && cat ${auto} && find ${main} -type f | sort | xargs sha256sum`,
    root,
  )
const reload = () => host.exec('systemctl reload postgresql@15-main; sleep 0.5', root)

t.test('a stock server gets the guide’s settings, by one restart', async t => {
  const before = await digest()
  t.match(await dry({ settings }), { status: 'drift', keys: ['saved', 'running'], trips: 2 })
  t.equal(await digest(), before, 'a dry run writes nothing')
  t.match(await run({ settings }), { status: 'changed', error: null })
  t.equal(await value('max_connections'), '50')
  t.equal(await value('work_mem'), '2MB')
  t.equal(await sql(`SELECT count(*) FROM pg_settings WHERE sourcefile = '${ours}'`), '9')
  t.equal(await host.output(`stat -c '%a %U %G' ${ours}`), '644 postgres postgres')
  await isInSync(t, { settings })
})

t.test('what a reload can change takes no restart', async t => {
  const before = await postmaster()
  await isMended(t, { settings: { ...guide, work_mem: '3MB', random_page_cost: 1.25 } }, 'changed')
  t.equal(await value('work_mem'), '3MB')
  t.equal(await postmaster(), before, 'the same server')
  await isMended(t, { settings }, 'and back')
})

t.test('a restart that is not allowed is pending', async t => {
  const before = await digest()
  const wanted = { settings: { ...guide, max_connections: 60 } }
  t.match(await run(wanted, { allow: 'reload' }), { status: 'pending', keys: ['saved', 'running'] })
  t.equal(await digest(), before)
  t.match(await run({ settings: { ...guide, work_mem: '4MB' } }, { allow: 'reload' }), { status: 'changed' })
  await isMended(t, { settings }, 'and back')
})

t.test('drift in each layer is found in its layer, and mended', async t => {
  const cases: [string, string[]][] = [
    [`sed -i 's/work_mem = 2MB/work_mem = 16MB/' ${ours}`, ['saved']],
    [`sed -i 's/work_mem = 2MB/work_mem = 16MB/' ${ours}; systemctl reload postgresql@15-main`, ['saved', 'running']],
    [`rm ${ours}`, ['saved']],
    [`chmod 600 ${ours}; chown root ${ours}`, ['saved']],
    [`printf 'work_mem = = \\n' > ${ours}`, ['saved']],
    [
      `sed -i 's/^work_mem/#work_mem/' ${ours}; systemctl reload postgresql@15-main; sleep 0.5; sed -i 's/^#work_mem/work_mem/' ${ours}`,
      ['running'],
    ],
    [
      `sed -i 's/= 50/= 60/' ${ours}; systemctl restart postgresql@15-main; sed -i 's/= 60/= 50/' ${ours}; systemctl reload postgresql@15-main`,
      ['running'],
    ],
    ['systemctl stop postgresql@15-main', ['running']],
  ]
  for (const [command, keys] of cases) {
    await host.exec(`${command}; sleep 0.3`, root)
    t.match(await dry({ settings }), { status: 'drift', keys }, command)
    await isMended(t, { settings }, `${command}: mended`)
  }
})

t.test('what the server refuses is never left on disk', async t => {
  const before = await digest()
  const server = await postmaster()
  const refused = await run({ settings: { ...guide, wal_level: 'perhaps' } })
  t.match(refused, { status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /wal_level/ } })
  t.equal(await digest(), before)
  t.equal(await postmaster(), server, 'and it never noticed')
  t.match(await dry({ settings: { ...guide, work_memory: 1 } }), {
    status: 'blocked',
    error: { code: 'refused', hint: 'did you mean work_mem?' },
  })
  t.match(await dry({ settings: { ...guide, autovacuum_naptime: '1ms' } }), {
    status: 'blocked',
    error: { message: /outside 1s to/ },
  })
})

t.test('a server that does not come up gets its old files back, and runs', async t => {
  await sql("ALTER SYSTEM SET work_mem = '64MB'")
  const before = await digest()
  for (const bad of [{ shared_buffers: '900GB' }, { shared_preload_libraries: 'no_such_library' }] as const) {
    const failed = await run({ settings: { ...guide, ...bad }, overrides: 'remove' })
    t.match(failed, { status: 'failed', error: { code: 'step-failed', rollback: 'done' } }, JSON.stringify(bad))
    t.equal(await digest(), before, 'byte for byte, postgresql.auto.conf too')
    t.equal(await value('max_connections'), '50')
  }
  await isMended(t, { settings, overrides: 'remove' }, 'and the override goes when asked')
  t.equal((await host.exec(`ls ${auto}.sak`, { ...root, mayFail: true })).code, 2)
})

t.test('a server that comes up and does not answer in time gets its old files back', async t => {
  const rules = `${main}/closed.conf`
  await host.exec(`echo 'local all all reject' >${rules}`, root)
  const before = await digest()
  const silent = { settings: { ...guide, hba_file: rules }, answersWithin: '1s' } as const
  t.match(await run(silent), { status: 'failed', error: { step: /^waitFor/, rollback: 'done' } })
  t.equal(await digest(), before)
  t.equal(await value('max_connections'), '50', 'it answers again')
})

t.test('every override is named, and removed only when asked', async t => {
  await sql('CREATE ROLE app LOGIN; CREATE ROLE "odd name" LOGIN')
  await sql('CREATE DATABASE shop')
  const cases: [string, RegExp, () => Promise<unknown>][] = [
    ['ALTER SYSTEM', /ALTER SYSTEM sets work_mem to 64MB/, () => sql("ALTER SYSTEM SET work_mem = '64MB'")],
    ['role', /role app sets work_mem to 64MB/, () => sql("ALTER ROLE app SET work_mem = '64MB'")],
    ['our own role', /role postgres sets work_mem/, () => sql("ALTER ROLE postgres SET work_mem = '64MB'")],
    ['all roles', /all roles sets work_mem/, () => sql("ALTER ROLE ALL SET work_mem = '64MB'")],
    ['database', /database shop sets work_mem/, () => sql("ALTER DATABASE shop SET work_mem = '64MB'")],
    [
      'both',
      /role odd name in database shop sets/,
      () => sql(`ALTER ROLE "odd name" IN DATABASE shop SET work_mem = '64MB'`),
    ],
    [
      'a later file',
      /99-tuned.conf line 2 sets/,
      () => host.exec(`printf '# mine\\nwork_mem=64MB # x\\n' >${main}/conf.d/99-tuned.conf`, root),
    ],
    [
      'after the include',
      /postgresql.conf line \d+ sets/,
      () => host.exec(`echo "work_mem '64MB'" >>${main}/postgresql.conf`, root),
    ],
    [
      'the command line',
      /command line .*pg_ctl.conf.* sets/,
      () =>
        host.exec(
          `sed -i "s/^pg_ctl_options.*/pg_ctl_options = '-o --work_mem=64MB'/" ${main}/pg_ctl.conf; systemctl restart postgresql@15-main`,
          root,
        ),
    ],
  ]
  for (const [name, message, arrange] of cases) {
    await arrange()
    await reload()
    const before = await digest()
    t.match(await run({ settings }), { status: 'blocked', error: { code: 'override', message } }, name)
    t.equal(await digest(), before, `${name}: left alone`)
    await isMended(t, { settings, overrides: 'remove' }, `${name}: removed`)
    await isInSync(t, { settings }, `${name}: gone`)
    t.equal(await value('work_mem'), '2MB')
  }
  t.equal(await host.output(`cat ${main}/conf.d/99-tuned.conf`), '# mine\n#work_mem=64MB # x')
})

t.test('a server kept down by ALTER SYSTEM', async t => {
  await sql("ALTER SYSTEM SET shared_buffers = '900GB'")
  await host.exec('systemctl restart postgresql@15-main', { ...root, mayFail: true })
  t.match(await dry({ settings }), { status: 'blocked', error: { code: 'override' } })
  await isMended(t, { settings, overrides: 'remove' }, 'starts again')
})

t.test('what others broke is not ours', async t => {
  await host.exec(`printf 'work_mem = = 1\\n' >${main}/conf.d/10-broken.conf`, root)
  const blocked = await run({ settings: { ...guide, work_mem: '5MB' } })
  t.match(blocked, { status: 'blocked', error: { code: 'refused', message: /not by us: .*10-broken.conf" line 1/ } })
  await host.exec(`printf 'jit = off\\n' >${main}/conf.d/10-broken.conf; chmod 600 ${main}/conf.d/10-broken.conf`, root)
  t.match(await dry({ settings }), { status: 'blocked', error: { message: /10-broken.conf": Permission denied/ } })
  await host.exec(`rm ${main}/conf.d/10-broken.conf`, root)
  await isInSync(t, { settings })
})

t.test('conf.d that nobody reads, and none at all', async t => {
  await host.exec(
    `sed -i 's/^include_dir/#include_dir/' ${main}/postgresql.conf; echo 'work_mem = 1GB' >${main}/conf.d/old.conf; systemctl restart postgresql@15-main`,
    root,
  )
  await isMended(t, { settings }, 'only our file is included')
  t.equal(await value('work_mem'), '2MB')
  await host.exec(
    `rm -r ${main}/conf.d; sed -i '/^include_if_exists/d' ${main}/postgresql.conf; systemctl restart postgresql@15-main`,
    root,
  )
  const before = await digest()
  t.match(await run({ settings: { ...guide, shared_buffers: '900GB' } }), {
    status: 'failed',
    error: { rollback: 'done' },
  })
  t.equal(await digest(), before)
  await isMended(t, { settings }, 'the directory is made')
  await host.exec(`sed -i 's/^#include_dir/include_dir/; /^include_if_exists/d' ${main}/postgresql.conf`, root)
  await isInSync(t, { settings })
})

t.test('settings of every kind, also those that the server spells in its own way', async t => {
  const many = {
    ...guide,
    wal_buffers: -1 as const,
    log_min_duration_statement: '1.5s',
    TimeZone: 'europe/berlin',
    log_statement: 'DDL',
    jit: false,
    shared_preload_libraries: 'auto_explain, pg_stat_statements',
    'auto_explain.log_min_duration': '3s',
    log_line_prefix: "%m it's \\ ",
    autovacuum_work_mem: -1,
    huge_pages: '0',
    checkpoint_timeout: 900,
    'sak.custom': 'x',
  }
  await isMended(t, { settings: many }, 'set')
  t.equal(await value('log_line_prefix'), "%m it's \\ ")
  const server = await postmaster()
  await isMended(t, { settings: { ...many, work_mem: '3MB' } }, 'one more')
  t.equal(await postmaster(), server, 'what did not change asks for no restart')
  await isMended(t, { settings }, 'and all given back')
  t.equal(await sql(`SELECT count(*) FROM pg_settings WHERE pending_restart`), '0')
  await isMended(t, { settings: {} }, 'with nothing wanted the file goes')
  t.equal(await value('max_connections'), '100')
  await isMended(t, { settings }, 'and comes')
})

t.test('all settings that the server has are shown and read as it does', async t => {
  const rows = z.array(z.custom<Setting & { shown: string }>()).parse(
    JSON.parse(
      await sql(`SELECT json_agg(json_build_object('name', lower(name), 'setting', setting, 'unit', unit, 'vartype', vartype,
        'min', min_val, 'max', max_val, 'enum', enumvals, 'shown', current_setting(name))) FROM pg_settings`),
    ),
  )
  t.ok(rows.length > 300)
  for (const row of rows) {
    const meaning = meaningOf(row.shown, row)
    if (meaning.kind !== 'open' && row.vartype !== 'string')
      t.match(meaning, { setting: row.setting }, `${row.name} ${row.shown}`)
    t.equal(show(row.setting, row), row.shown, row.name)
  }
})

t.test('configuration files are read as the server reads them', async t => {
  const file = `${main}/conf.d/50-fuzz.conf`
  const query = `SELECT coalesce(json_agg(json_build_array(sourceline, lower(name), setting) ORDER BY seqno), '[]')
    FROM pg_file_settings WHERE sourcefile = '${file}' AND name IS NOT NULL`
  const Rows = z.array(z.tuple([z.number(), z.string(), z.string()]))
  /** What the server makes of each content, as the only one of a file: after a syntax error it shows nothing of any. */
  const ask = async (contents: readonly string[]) => {
    const psql = '/usr/lib/postgresql/15/bin/psql -XAtq -h /var/run/postgresql -d postgres'
    const loop = `while read -r line; do echo "$line" | base64 -d >${file}; ${psql} -c "$1" </dev/null; done; rm ${file}`
    const stdin = contents.map(content => `${Buffer.from(content).toString('base64')}\n`).join('')
    await host.exec(`install -o postgres /dev/null ${file}; chown postgres ${main}/conf.d`, root)
    const answers = await host.output(`sh -c '${loop}' ask "${query}"`, { as: 'postgres', stdin })
    return answers.split('\n').map(answer => Rows.parse(JSON.parse(answer)))
  }
  const read = (content: string) => parseLines(content).map(({ number, name, value }) => [number, name, value])

  const stock = await host.output(`cat ${main}/postgresql.conf`)
  const inForce = stock.replaceAll(/^#(?=[a-z])/gm, '').replaceAll(/^include.*$/gm, '')
  t.same(read(inForce), (await ask([inForce]))[0], 'the stock file with every setting in force')

  const words = [
    'work_mem',
    'a.b',
    'x',
    '64MB',
    '-1',
    '0.5',
    '1e3',
    '.5e-2',
    '.',
    '0x1F',
    "'it''s'",
    "'a\\'b'",
    "'\\101\\n\\''",
  ]
  const more = ["'open", 'a-b.c:d/e', 'a.b.c', 'é', '$', '%', "''", '"x"', '+2kB', '64kB7', '\u2028']
  const between = ['', ' ', '=', ' = ', '\t', ' #', '#', '\r', '\f']
  const parts = fc.array(fc.tuple(fc.constantFrom(...words, ...more), fc.constantFrom(...between)), {
    minLength: 1,
    maxLength: 3,
  })
  const lines = fc.sample(
    fc
      .tuple(fc.constantFrom('', ' ', '\t', 'x ', 'a.b = ', 'é='), parts)
      .map(([first, rest]) => first + rest.flat().join('')),
    { numRuns: 400, seed: 15 },
  )
  const answers = await ask(lines)
  const apart = lines.flatMap((line, index) => {
    const [ours, theirs] = [JSON.stringify(read(line)), JSON.stringify(answers[index])]
    return ours === theirs ? [] : [{ line: JSON.stringify(line), ours, theirs }]
  })
  t.same(apart, [])
  t.ok(answers.filter(rows => rows.length > 0).length > 40, 'enough of them are settings')
})

t.test('several clusters, custom ports and sockets', async t => {
  await host.exec('pg_createcluster 15 two && systemctl start postgresql@15-two', root)
  t.match(await dry({ settings }), {
    status: 'blocked',
    error: { message: 'there are 2 clusters: 15/main, 15/two', hint: /15\/main/ },
  })
  const server = await postmaster()
  const two = { settings: { max_connections: 20 }, cluster: '15/two' }
  await isMended(t, two, 'the second')
  t.equal(await value('max_connections', '5433'), '20')
  t.equal(await postmaster(), server, 'the first never noticed')
  await isMended(t, { ...two, settings: { max_connections: 20, port: 6000 } }, 'its port is ours to change')
  const conf = '/etc/postgresql/15/two/postgresql.conf'
  await host.exec(
    `install -d -o postgres /srv/sockets; sed -i "s#^unix_socket_directories.*#unix_socket_directories = '/srv/sockets'#" ${conf}`,
    root,
  )
  await isMended(
    t,
    { ...two, settings: { max_connections: 25, port: 6000 } },
    "another's change of the socket comes with our restart",
  )
  await host.exec('systemctl stop postgresql@15-two', root)
  t.match(await dry({ ...two, settings: { port: 5432 } }), { status: 'drift' })
  t.match(
    await run({ ...two, settings: { port: 5432 } }),
    { status: 'failed', error: { rollback: 'done' } },
    'the first has that port on TCP, so it cannot start',
  )
  t.equal(await host.output('grep -c 6000 /etc/postgresql/15/two/conf.d/60-sak.conf'), '1', 'the old file is back')
  await host.exec('pg_dropcluster --stop 15 two', root)
  await isInSync(t, { settings })
})

t.test('a hot standby', async t => {
  await host.exec('pg_createcluster 15 standby && rm -rf /var/lib/postgresql/15/standby', root)
  await host.exec('pg_basebackup -p 5432 -D /var/lib/postgresql/15/standby -R', { as: 'postgres' })
  await host.exec('systemctl start postgresql@15-standby', root)
  const standby = { cluster: '15/standby', overrides: 'remove' } as const
  const blocked = await run({ ...standby, settings: { max_connections: 40 } })
  t.match(blocked, { status: 'blocked', error: { code: 'refused', message: /primary has 50/ } })
  t.match(await run({ ...standby, settings: { max_connections: 70, work_mem: '7MB' } }), { status: 'changed' })
  t.equal(await value('max_connections', '5433'), '70')
  await host.exec('pg_dropcluster --stop 15 standby', root)
})

t.test('a user who may not ask sees what may be seen', async t => {
  await host.exec(`echo '# by hand' >>${ours}`, root)
  t.match(await dry({ settings }, { become: false }), {
    status: 'blocked',
    keys: ['saved'],
    error: { code: 'needs-root' },
  })
  await isMended(t, { settings }, 'as root')
})

t.test('a server that is not started with the machine may stay down', async t => {
  await host.exec(`systemctl stop postgresql@15-main; sed -i 's/^auto/manual/' ${main}/start.conf; rm ${ours}`, root)
  t.match(await run({ settings }), { status: 'changed', keys: ['saved'] })
  t.equal(await host.output('systemctl is-active postgresql@15-main || true'), 'inactive')
  await host.exec(`sed -i 's/^manual/auto/' ${main}/start.conf`, root)
  await isMended(t, { settings }, 'one that is, is started')
})

t.test('and all of it is there after a reboot', async t => {
  await host.reboot()
  await isInSync(t, { settings })
})
