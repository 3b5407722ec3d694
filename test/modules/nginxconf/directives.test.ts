import t from 'tap'
import { sameSetting, slotOf } from '../../../modules/nginxconf/directives.ts'
import { setting } from '../../../modules/nginxconf/params.ts'

t.test('values are compared by meaning', async t => {
  const same = (name: string, a: string, b: string) => sameSetting(setting(name, a), setting(name, b))
  const cases: [string, string, string, boolean][] = [
    ['client_max_body_size', '10m', '10240K', true],
    ['client_max_body_size', '1m', '1g', false],
    ['large_client_header_buffers', '2 1k', '2 1024', true],
    ['large_client_header_buffers', '2 1k', '2', false],
    ['keepalive_timeout', '65', '65s', true],
    ['keepalive_timeout', '1m', '60', true],
    ['keepalive_timeout', '1m', '1M', false],
    ['keepalive_timeout', '500ms', '500', false],
    ['keepalive_time', '1w', '7d', true],
    ['ssl_session_timeout', '1y', '365d', true],
    ['gzip', 'on', 'ON', true],
    ['gzip', 'on', '"on"', true],
    ['keepalive_requests', '100', '0100', false],
    ['log_format', "main 'a'", "main 'b'", false],
  ]
  for (const [name, a, b, expected] of cases) t.equal(same(name, a, b), expected, `${name} ${a} ${b}`)
  t.notOk(sameSetting(setting('gzip', 'on'), setting('sendfile', 'on')))
})

t.test('what may not stand twice', async t => {
  const slot = (name: string, text: string) => slotOf(setting(name, text))
  t.equal(slot('gzip', 'on'), slot('gzip', 'off'))
  t.not(slot('add_header', 'A 1'), slot('add_header', 'A 2'))
  t.equal(slot('proxy_set_header', 'Host a'), slot('proxy_set_header', 'host b'))
  t.not(slot('log_format', 'main a'), slot('log_format', 'other a'))
  t.equal(slot('proxy_cache_path', '/a keys_zone=x:1m'), slot('proxy_cache_path', '/b levels=1 keys_zone=x:2m'))
  t.not(slot('limit_req_zone', '$a zone=x:1m rate=1r/s'), slot('limit_req_zone', '$a zone=y:1m rate=1r/s'))
})
