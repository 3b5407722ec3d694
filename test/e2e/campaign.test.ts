/** The fault campaign in its reduced form: each fault once, in the middle of an apply. `npm run campaign` is the whole. */
import t from 'tap'
import { campaign } from '../campaign/campaign.ts'
import { caseLine, table } from '../campaign/table.ts'
import { startHost } from './harness.ts'

const { host, stop } = await startHost('light')
t.teardown(stop)

t.test('whatever breaks an apply, the host is wholly as before or wholly as after', async t => {
  const subjects = ['sysctl', 'file', 'timer', 'nginxconf', 'pm2logrotate']
  const cases = await campaign({ hosts: [host], density: 'few', subjects })
  for (const done of cases) t.same(done.wrong, [], caseLine(done))
  t.comment(table(cases))
  t.ok(cases.length > 20 && new Set(cases.map(({ subject }) => subject)).size === subjects.length)
})
