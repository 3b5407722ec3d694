/** The building blocks on a real host: what they put there, what they leave alone, and what comes back after a failure. */
import { definePlaybook, reconcile, secret, type Task, type TaskList } from 'sak-reconcile'
import { command, directory, file, line, template } from 'sak-reconcile/modules'
import t from 'tap'
import { inventoryOf, startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

const root = { root: true } as const
const at = (name: string) => `/srv/blocks/${name}`
await host.exec('mkdir -p /srv/blocks', root)

async function run(tasks: TaskList, dryRun = false, become = true) {
  const inventory = inventoryOf([host])
  for (const each of Object.values(inventory.hosts)) each.become = become
  const report = await reconcile({
    playbook: definePlaybook({ name: 'blocks', tasks: () => tasks }),
    inventory,
    dryRun,
    connect: { sshConfigPath: 'none', hostKeyChecking: 'off' },
  })
  const [found] = report.hosts
  if (!found || found.error) throw new Error(`no answer: ${JSON.stringify(report.hosts)}`)
  return { statuses: found.tasks.map(({ status }) => status), tasks: found.tasks, trips: found.roundTrips }
}
const dry = (...tasks: Task[]) => run(tasks, true)
const apply = (...tasks: TaskList) => run(tasks)
/** A task whose last step fails, after its file was written. */
const failing = (path: string) => file({ path, content: 'x', validate: ['false', '{}'] }, { label: 'failing' })
const about = (name: string) => host.output(`stat -c '%F %a %U:%G' ${at(name)}`, root)
const isThere = async (name: string) => (await host.exec(`test -e ${at(name)}`, { ...root, mayFail: true })).code === 0

t.test('directories and files, planned on each other and made in one go', async t => {
  const tasks = [
    directory({ path: at('app/conf/deep'), parents: true, owner: 'ubuntu', mode: '2750' }),
    file({ path: at('app/conf/deep/a b'), content: "it's\n$HOME\n", owner: 'ubuntu' }, { label: 'text' }),
    file({ path: at('bytes'), content: { base64: 'AP+ACg==' }, mode: '0600' }, { label: 'bytes' }),
    file({ path: at('app/current'), linkTo: 'conf/deep' }, { label: 'link' }),
  ]
  const planned = await dry(...tasks)
  t.same(planned.statuses, ['drift', 'drift', 'drift', 'drift'])
  t.match(planned.tasks[1]?.changes[0]?.diff, /^--- \/dev\/null\n\+\+\+ .*\+it's\n\+\$HOME\n/s)
  t.notOk(await isThere('app'), 'a dry run makes nothing')
  t.same((await apply(...tasks)).statuses, ['changed', 'changed', 'changed', 'changed'])
  t.equal(await about('app'), 'directory 755 root:root')
  t.equal(await about('app/conf/deep'), 'directory 2750 ubuntu:ubuntu')
  t.equal(await about('bytes'), 'regular file 600 root:root')
  t.equal(
    await host.output(`od -An -tx1 ${at('bytes')}; readlink ${at('app/current')}`, root),
    ' 00 ff 80 0a\nconf/deep',
  )
  t.equal(await host.output(`cat '${at('app/current')}/a b'`, root), "it's\n$HOME")
  t.match(await dry(...tasks), { statuses: ['ok', 'ok', 'ok', 'ok'], trips: 1 })
})

t.test('each drift is found, and mended', async t => {
  const tasks = [
    directory({ path: at('app'), owner: 'ubuntu' }),
    file({ path: at('app/f'), content: 'right\n', mode: '0640', group: 'adm', diff: 'show' }),
  ]
  await apply(...tasks)
  const drifts = [`chmod g+s ${at('app')}`, `chmod 700 ${at('app')}`, `chown root ${at('app')}`, `rm ${at('app/f')}`]
  const ofFile = [`printf wrong >${at('app/f')}`, `chmod u+s ${at('app/f')}`, `chgrp ubuntu ${at('app/f')}`]
  for (const command of [...drifts, ...ofFile]) {
    await host.exec(command, root)
    t.ok((await dry(...tasks)).statuses.includes('drift'), command)
    t.ok((await apply(...tasks)).statuses.includes('changed'), `${command}: mended`)
    t.same((await dry(...tasks)).statuses, ['ok', 'ok'])
  }
})

t.test('a failure leaves everything as it was', async t => {
  await host.exec(`mkdir ${at('full')}; echo kept >${at('full/file')}; ln ${at('full/file')} ${at('full/twin')}`, root)
  await host.exec(`echo old >${at('target')}; ln -s target ${at('link')}`, root)
  const look = () => host.output(`cd /srv/blocks; find . -printf '%p %i %y %m %U:%G %s %T@ %l\n' | sort`, root)
  const before = await look()
  const { together } = await import('sak-reconcile')
  const tasks = together([
    directory({ path: at('full'), absent: true, recurse: true }),
    directory({ path: at('new/below'), parents: true }, { label: 'new' }),
    file({ path: at('link'), content: 'new', links: 'replace' }),
    file({ path: at('new/below/link'), linkTo: '/etc' }, { label: 'made link' }),
    failing(at('last')),
  ])
  const { tasks: found } = await apply(tasks)
  t.match(found.at(-1), { status: 'failed', error: { rollback: 'done' } })
  const without = (listing: string) => listing.replaceAll(/^\. .*$/gm, '').replaceAll(/ \d+ l /g, ' l ') // the folder was written to, a link is a new one
  t.equal(without(await look()), without(before), 'links, hard links, times and inodes too')
  t.equal(await host.output('ls /var/lib/sak-reconcile/transactions', root), '')
})

t.test('removing a directory needs consent, and takes nothing that is mounted', async t => {
  const gently = directory({ path: at('full'), absent: true })
  const wholly = directory({ path: at('full'), absent: true, recurse: true })
  t.match((await apply(gently)).tasks, [
    { status: 'blocked', error: { code: 'refused', message: /it holds file, twin/ } },
  ])
  await host.exec(`mkdir ${at('full/mnt')}; mount -t tmpfs none ${at('full/mnt')}; touch ${at('full/mnt/x')}`, root)
  t.match((await apply(wholly)).tasks, [
    { status: 'blocked', error: { message: /mounted on \/srv\/blocks\/full\/mnt/ } },
  ])
  await host.exec(`umount ${at('full/mnt')}`, root)
  t.match((await dry(wholly)).tasks, [
    { impact: 'data', changes: [{ path: at('full') }, { key: 'contents', before: { entries: 3 } }] },
  ])
  t.same((await apply(wholly)).statuses, ['changed'])
  t.equal(await host.output('ls -A /srv/blocks | grep -e full -e sak || true', root), '')
  t.same((await dry(wholly)).statuses, ['ok'])
})

t.test('what a plain user may not read is blocked, and never in sync', async t => {
  await host.exec(`echo secret >${at('secret')}; chmod 600 ${at('secret')}`, root)
  const secret = file({ path: at('secret'), content: 'secret\n', mode: '0600' })
  t.match((await run([secret], true, false)).tasks, [{ status: 'blocked', error: { code: 'needs-root' } }])
  const found = await dry(file({ path: at('secret'), content: 'other\n', mode: '0600' }))
  t.notMatch(JSON.stringify(found), /secret\\n|other\\n/, 'what not everybody may read is not in the report')
})

t.test('in the directory of another user nothing of root’s is touched', async t => {
  await host.exec(
    `mkdir -p ${at('theirs')}; chown ubuntu: ${at('theirs')}; echo root >${at('roots')}; chmod 644 ${at('roots')}`,
    root,
  )
  await host.exec(`ln -s ../roots ${at('theirs/trap')}`)
  const trapped = await apply(file({ path: at('theirs/trap'), content: 'pwned\n', owner: 'ubuntu' }))
  t.match(trapped.tasks, [{ status: 'failed', error: { said: /link of one user to the file of another/ } }])
  t.equal(await host.output(`cat ${at('roots')}`), 'root')
  t.same(
    (await apply(file({ path: at('theirs/trap'), content: 'theirs\n', owner: 'ubuntu', links: 'replace' }))).statuses,
    ['changed'],
  )
  t.equal(await about('theirs/trap'), 'regular file 644 ubuntu:ubuntu')
})

t.test('lines and blocks of one file, planned on each other, and every other byte kept', async t => {
  await host.exec(
    `printf 'na\\357ve\\r\\n#Port 22\\nlast' >${at('sshd')}; chmod 640 ${at('sshd')}; chown ubuntu:adm ${at('sshd')}`,
    root,
  )
  const path = at('sshd')
  const tasks = [
    line({ path, line: 'Port 2222', match: /^#?Port\b/, diff: 'show' }, { label: 'port' }),
    line({ path, name: 'shop', block: 'a\nb', after: /^Port/, diff: 'show' }, { label: 'block' }),
    template({ path: at('made'), template: '<%= name %>:<%= port %>\n', vars: { name: 'shop', port: 5000 } }),
  ]
  const planned = await dry(...tasks)
  t.same(planned.statuses, ['drift', 'drift', 'drift'])
  t.match(planned.tasks[1]?.changes[0]?.diff, /Binary file/, 'what is not UTF-8 is not shown as text')
  t.same((await apply(...tasks)).statuses, ['changed', 'changed', 'changed'])
  const bytes = Buffer.from(await host.output(`base64 -w0 ${path}`, root), 'base64').toString('latin1')
  const marked = '# BEGIN shop\r\na\r\nb\r\n# END shop\r\n'
  t.equal(bytes, `na\xefve\r\nPort 2222\n${marked}last`)
  t.equal(await about('sshd'), 'regular file 640 ubuntu:adm')
  t.equal(await host.output(`cat ${at('made')}`), 'shop:5000')
  t.same((await dry(...tasks)).statuses, ['ok', 'ok', 'ok'])
  await apply(line({ path, name: 'shop', absent: true }))
  t.equal(
    await host.output(`base64 -w0 ${path}`, root),
    Buffer.from('na\xefve\r\nPort 2222\nlast', 'latin1').toString('base64'),
  )
})

t.test('what the validator refuses is put back', async t => {
  const path = '/etc/sudoers.d/blocks'
  const validate = ['/usr/sbin/visudo', '-cf', '{}']
  const good = file({ path, content: 'ubuntu ALL=(ALL) NOPASSWD: ALL\n', mode: '0440', validate })
  t.same((await apply(good)).statuses, ['changed'])
  const broken = await apply(line({ path, line: 'nonsense here', validate }))
  t.match(broken.tasks, [{ status: 'failed', error: { code: 'step-failed', rollback: 'done', said: /syntax error/ } }])
  t.equal(await host.output(`cat ${path}`, root), 'ubuntu ALL=(ALL) NOPASSWD: ALL')
  await host.exec(`rm ${path}`, root)
})

t.test('a change of somebody else between our reading and our writing is not lost', async t => {
  const path = at('shared')
  await host.exec(`echo mine >${path}`, root)
  const meddle = `exec >>${path}; sleep 0.2; echo theirs`
  const slow = file(
    { path: at('slow'), content: 'x', validate: ['sh', '-c', meddle, 'sh', '{}'] },
    { label: 'meddler' },
  )
  const { tasks } = await apply(slow, line({ path, line: 'ours' }))
  t.match(tasks, [{ status: 'changed' }, { status: 'failed', error: { said: /was changed by somebody else/ } }])
  t.equal(await host.output(`cat ${path}`), 'mine\ntheirs')
  t.same((await apply(line({ path, line: 'ours' }))).statuses, ['changed'])
  t.equal(await host.output(`cat ${path}`), 'mine\ntheirs\nours')
})

t.test('secrets stand in what is written, and in no report', async t => {
  process.env.SAK_BLOCKS_SECRET = 'c4nary-of-blocks'
  const password = secret.env('SAK_BLOCKS_SECRET')
  const tasks = [
    file({ path: at('pw'), content: password, mode: '0600', diff: 'show' }),
    template({ path: at('tpl'), template: 'pw=<%= pw %>\n', vars: { pw: password }, mode: '0600', diff: 'show' }),
    file({ path: at('lines'), content: `old=${password}\n`, mode: '0600', diff: 'show' }, { label: 'first' }),
    line({ path: at('more'), line: `pw=${password}`, create: true, mode: '0600', diff: 'show' }),
  ]
  const planned = await dry(...tasks)
  const applied = await apply(...tasks)
  t.same(applied.statuses, ['changed', 'changed', 'changed', 'changed'])
  t.notMatch(JSON.stringify([planned, applied]), /c4nary/)
  t.equal(
    await host.output(`cd /srv/blocks; cat tpl more pw`, root),
    'pw=c4nary-of-blocks\npw=c4nary-of-blocks\nc4nary-of-blocks',
  )
  t.same((await apply(line({ path: at('more'), line: 'x' }))).statuses, ['changed'], 'a line beside a secret')
  const beside = line({ path: at('more'), line: `again=${password}`, diff: 'show' })
  const { tasks: found } = await apply(beside)
  t.match(found, [{ status: 'changed' }], 'the file that it was made from holds the secret too')
  t.notMatch(JSON.stringify(found), /c4nary/)
  t.same((await dry(...tasks)).statuses, ['ok', 'ok', 'ok', 'ok'])
})

t.test('a command runs where its check says so, and is checked again', async t => {
  const make = command({
    shell: 'echo "$WORD" >made-by; cat >>made-by; id -un >>made-by',
    cwd: at('work'),
    as: 'ubuntu',
    env: { WORD: 'it is $HOME' },
    stdin: 'read\n',
    creates: at('work/made-by'),
    impact: 'none',
    undo: [['rm', '-f', at('work/made-by')]],
  })
  const tasks = [directory({ path: at('work'), owner: 'ubuntu' }), make]
  t.match((await dry(...tasks)).tasks, [
    { status: 'drift' },
    { status: 'drift', steps: [{ argv: ['env', '-C', at('work'), 'sh'] }] },
  ])
  t.notOk(await isThere('work'))
  t.same((await apply(...tasks)).statuses, ['changed', 'changed'])
  t.equal(await host.output(`cat ${at('work/made-by')}`), 'it is $HOME\nread\nubuntu')
  t.same((await dry(...tasks)).statuses, ['ok', 'ok'])

  const reads = file({ path: at('work/made-by'), content: 'x' }, { label: 'reads' })
  await host.exec(`rm ${at('work/made-by')}`, root)
  const { together } = await import('sak-reconcile')
  const undone = await apply(together([make, failing(at('last'))]))
  t.match(undone.tasks, [{ error: { rollback: 'done' } }, { error: { rollback: 'done' } }])
  t.notOk(await isThere('work/made-by'), 'its undo ran')
  const writes = command({
    argv: ['touch', at('other')],
    creates: at('other'),
    changes: [reads.owns[0] ?? ''],
    impact: 'none',
    undo: 'none',
  })
  t.same((await dry(writes, reads)).statuses, ['drift', 'deferred'], 'what a command changes nobody foresees')

  const liar = command({ argv: ['true'], creates: at('never'), impact: 'none', undo: 'resumable' })
  t.match((await apply(liar)).tasks, [{ status: 'failed', error: { code: 'did-not-converge' } }])
})
