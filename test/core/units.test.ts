import fc from 'fast-check'
import t from 'tap'
import type { z } from 'zod'
import { AbsolutePath, Duration, durationMs, FileMode, Size, sizeBytes, UserName } from '../../src/core/units.ts'

t.test('sizes are binary, durations are milliseconds', async t => {
  t.equal(sizeBytes('850M'), 850 * 1024 * 1024)
  t.equal(sizeBytes('2G'), 2_147_483_648)
  t.equal(sizeBytes('1.5K'), 1536)
  t.equal(durationMs('500ms'), 500)
  t.equal(durationMs('1.5m'), 90_000)
  t.equal(durationMs('7d'), 604_800_000)
})

const amount = fc.oneof(
  fc.nat(100_000),
  fc.nat(100_000).map(n => n / 8),
)
const sizeUnit = fc.constantFrom('K', 'M', 'G', 'T')
const durationUnit = fc.constantFrom('ms', 's', 'm', 'h', 'd')

t.test('laws: what the schema takes can be counted, more is more, and 1024 of a unit are one of the next', async () => {
  fc.assert(
    fc.property(amount, sizeUnit, (n, unit) => {
      const bytes = sizeBytes(Size.parse(`${n}${unit}`))
      return Number.isInteger(bytes) && bytes >= n && sizeBytes(Size.parse(`${n + 1}${unit}`)) > bytes
    }),
  )
  fc.assert(fc.property(fc.nat(9999), n => sizeBytes(`${n * 1024}K`) === sizeBytes(`${n}M`)))
  fc.assert(
    fc.property(amount, durationUnit, (n, unit) => {
      const ms = durationMs(Duration.parse(`${n}${unit}`))
      return Number.isInteger(ms) && ms >= Math.floor(n) && durationMs(Duration.parse(`${n + 1}${unit}`)) > ms
    }),
  )
  fc.assert(fc.property(fc.nat(999), n => durationMs(`${n * 60}s`) === durationMs(`${n}m`)))
})

t.test('no text makes a schema pass that cannot be counted', async () => {
  const nearly = fc.string({
    unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', 'K', 'M', 's', 'm', ' ', 'x', '\n'),
  })
  fc.assert(
    fc.property(nearly, text => {
      const size = Size.safeParse(text)
      const duration = Duration.safeParse(text)
      return (
        (!size.success || Number.isFinite(sizeBytes(size.data))) &&
        (!duration.success || Number.isFinite(durationMs(duration.data)))
      )
    }),
    { numRuns: 3000 },
  )
})

t.test('what is no size or duration is refused with an example', async t => {
  for (const text of ['', '2', '2GB', '2g', '-2G', '1e3M', ' 2G', '2G\n', '.5G', 2]) {
    t.match(Size.safeParse(text).error?.issues[0]?.message, /such as "850M"/, JSON.stringify(text))
  }
  for (const text of ['', '5', '5 s', '-5s', '5S', '5min', 5]) {
    t.match(Duration.safeParse(text).error?.issues[0]?.message, /such as "500ms"/, JSON.stringify(text))
  }
  t.throws(() => sizeBytes('1e3M'), RangeError)
  t.throws(() => durationMs('-1s'), RangeError)
})

t.test('paths are absolute, and one place has one path', async t => {
  t.equal(AbsolutePath.parse('/etc/sysctl.d/60-sak.conf'), '/etc/sysctl.d/60-sak.conf')
  t.equal(AbsolutePath.parse('/srv/mit Leerzeichen/…'), '/srv/mit Leerzeichen/…')
  t.equal(AbsolutePath.parse('/'), '/')
  t.equal(AbsolutePath.parse('//var//www/shop//'), '/var/www/shop')
  for (const path of ['', 'etc', '~/x', '/a/../b', '/a/.', '/..', '/a\nb', '/a\0']) {
    t.equal(AbsolutePath.safeParse(path).success, false, JSON.stringify(path))
  }
  t.ok(AbsolutePath.safeParse('/a/..b/.c/...').success)
})

t.test('modes come out with four digits', async t => {
  t.same(
    ['644', '0644', '4755', '000'].map(mode => FileMode.parse(mode)),
    ['0644', '0644', '4755', '0000'],
  )
  for (const mode of ['', '64', '888', '06444', 'rw-', 420])
    t.equal(FileMode.safeParse(mode).success, false, String(mode))
})

t.test('names of users', async t => {
  for (const name of ['ubuntu', '_apt', 'www-data', 'machine$']) t.ok(UserName.safeParse(name).success, name)
  for (const name of ['', '-x', '1a', 'a b', 'a;b', 'x'.repeat(40), 'root\n']) {
    t.equal(UserName.safeParse(name).success, false, JSON.stringify(name))
  }
})

t.test('a wrong unit is answered with the right one, where that is known', async t => {
  const said = (schema: z.ZodType, given: unknown) => schema.safeParse(given).error?.issues[0]?.message
  for (const [given, meant] of [
    ['850m', '850M'],
    ['850MB', '850M'],
    ['2 GiB', '2G'],
    ['1.5gb', '1.5G'],
  ] as const) {
    t.match(said(Size, given), `Did you mean "${meant}"?`, given)
  }
  for (const [given, meant] of [
    ['10 s', '10s'],
    ['10sec', '10s'],
    ['5minutes', '5m'],
    ['2H', '2h'],
  ] as const) {
    t.match(said(Duration, given), `Did you mean "${meant}"?`, given)
  }
  for (const given of [2048, '2048', 'lots', '', null, undefined, '10x']) {
    t.equal(said(Size, given), 'expected a size such as "850M" or "2G" (binary units K, M, G, T)')
    t.equal(said(Duration, given), 'expected a duration such as "500ms", "10s" or "5m"')
  }
})
