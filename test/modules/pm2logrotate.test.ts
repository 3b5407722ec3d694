import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { isSakError } from 'sak-reconcile'
import { pm2logrotate } from 'sak-reconcile/modules'
import { runCases } from 'sak-reconcile/testing'
import t from 'tap'
import { wantedSettings } from '../../modules/pm2logrotate/params.ts'
import {
  isInstalled,
  isListening,
  parseConf,
  parseJlist,
  parseVersion,
  sameSetting,
  settingsOf,
  withSettings,
} from '../../modules/pm2logrotate/parse.ts'
import { parseNpmrc, registryOf } from '../../modules/pm2logrotate/registry.ts'

t.test('recorded cases', async t => {
  const folder = fileURLToPath(new URL('../../fixtures/pm2logrotate', import.meta.url))
  const results = await runCases(folder, pm2logrotate)
  t.ok(results.length >= 19, 'there are cases')
  for (const { name, expected, found, left } of results) {
    t.same(found, expected, name)
    t.same(left, [], `${name}: nothing is left once the files are written`)
  }
})

t.test('settings are laid into module_conf.json, and all else stays', async t => {
  const text = '{"module-db-v2":{"pm2-logrotate":{},"other":{}},"pm2-logrotate":{"retain":"30","compress":false},"x":1}'
  const conf = parseConf(text)
  if (!conf) throw new Error('it is JSON')
  const after = withSettings(text, conf, { retain: '7', max_size: '10M' })
  t.same(JSON.parse(after), {
    'module-db-v2': { 'pm2-logrotate': {}, other: {} },
    'pm2-logrotate': { retain: '7', compress: false, max_size: '10M' },
    x: 1,
  })
  t.equal(withSettings(text, conf, { retain: '30', compress: 'false' }), text, 'nothing to do: the same bytes')
  t.equal(withSettings(null, {}, { retain: '7' }), '{\n    "pm2-logrotate": {\n        "retain": "7"\n    }\n}')
  t.ok(isInstalled(conf))
  t.notOk(isInstalled({ 'module-db-v2': 'pm2-logrotate' }))
  t.ok(sameSetting('max_size', '10240K', '10M'))
  t.notOk(sameSetting('max_size', '10', '10M'))
  t.notOk(sameSetting('retain', undefined, '7'))
})

t.test('mistakes in params name the field and the fix', async t => {
  const cases: [object, RegExp][] = [
    [{}, /user/],
    [{ user: 'ubuntu', max_size: '10MB' }, /max_size: expected whole K, M or G/],
    [{ user: 'ubuntu', max_size: '1.5M' }, /max_size/],
    [{ user: 'ubuntu', retain: 0 }, /retain/],
    [{ user: 'ubuntu', retain: 'some' }, /retain/],
    [{ user: 'ubuntu', dateFormat: 'YYYY-MM-DD' }, /dateFormat: must go from year to second.*overwrite/],
    [{ user: 'ubuntu', dateFormat: 'DD-MM-YYYY_HH-mm-ss' }, /dateFormat/],
    [{ user: 'ubuntu', dateFormat: 'YYYY/MM/DD_HH-mm-ss' }, /dateFormat/],
    [{ user: 'ubuntu', rotateInterval: '$(reboot)' }, /rotateInterval/],
    [{ user: 'ubuntu', version: 'latest' }, /version: expected an exact version/],
    [{ user: 'ubuntu; reboot' }, /user/],
    [{ user: 'ubuntu', rotateModule: false }, /rotateModule/],
  ]
  for (const [params, message] of cases) {
    t.throws(() => pm2logrotate.parse(params), { code: 'invalid-params', message }, JSON.stringify(params))
  }
})

t.test('a date format by which old logs would be lost is replaced', async t => {
  const params = pm2logrotate.params.parse({ user: 'ubuntu' })
  const wanted = (saved: string, running = saved) =>
    wantedSettings(params, { dateFormat: saved }, { dateFormat: running }).dateFormat
  for (const format of ['YYYY-MM-DD', 'DD-MM-YYYY_HH-mm-ss', 'YYYY-MM-DD_hh-mm-ss', '[YYYY-MM-DD_HH-mm-ss]']) {
    t.equal(wanted(format), 'YYYY-MM-DD_HH-mm-ss', format)
  }
  for (const format of ['YYYYMMDD-HHmmss', 'YYYY-MM-DD[T]HH:mm:ss', '[old]-X', '']) {
    t.equal(wanted(format), undefined, format)
  }
  t.equal(wanted('YYYYMMDD-HHmmss', 'YYYY'), 'YYYYMMDD-HHmmss', 'the file is right and was not read yet')
  t.same(wantedSettings(params, {}, {}), { max_size: '10M', retain: '7' })
})

t.test('what npm would connect to', async t => {
  const npmrc = (content: string | null) => ({ kind: 'file', path: '/x', content }) as const
  t.same(registryOf([npmrc(null)]), { host: 'registry.npmjs.org', port: 443 })
  t.same(registryOf([npmrc('registry = http://npm.local:4873/\n'), npmrc('registry=https://other/')]), {
    host: 'npm.local',
    port: 4873,
  })
  t.same(registryOf([npmrc('; x\nhttps-proxy="http://proxy:3128"')]), { host: 'proxy', port: 3128 })
  t.same(registryOf([npmrc('registry=https://[::1]:9/')]), { host: '::1', port: 9 })
  t.same(registryOf([npmrc('registry=not a url')]), { host: 'registry.npmjs.org', port: 443 })
  t.equal(registryOf([npmrc('offline=true')]), undefined, 'npm works from its cache')
})

t.test('hosts may answer anything', async () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map(json => `\n[${json}]\n`),
  )
  fc.assert(
    fc.property(anything, text => {
      const conf = parseConf(text)
      if (conf) {
        const after = withSettings(text, conf, { retain: '7' })
        if (settingsOf(JSON.parse(after)['pm2-logrotate']).retain !== '7') return false
      }
      parseVersion(text)
      isListening(text, ['/x'])
      parseNpmrc(text)
      try {
        parseJlist(text)
      } catch (error) {
        return isSakError(error) && error.code === 'answer-broken'
      }
      return true
    }),
    { numRuns: 2000 },
  )
})
