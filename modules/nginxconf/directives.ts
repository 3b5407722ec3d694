/** What nginx's documentation and source say about its directives: which may repeat, and when two values mean the same. */

/** Directives that may stand more than once in a block; each adds to the others. (nginx 1.22's set handlers, and lua, js.) */
const repeatable = new Set(
  `access_log add_header add_trailer allow deny error_log error_page fastcgi_cache_bypass
  fastcgi_cache_valid fastcgi_hide_header fastcgi_ignore_headers fastcgi_no_cache fastcgi_pass_header gzip_disable
  grpc_hide_header grpc_pass_header index js_import js_preload_object js_var limit_conn limit_req 
  more_clear_headers more_clear_input_headers more_set_headers more_set_input_headers perl_require proxy_cache_bypass
  proxy_cache_valid proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_hide_header proxy_ignore_headers
  proxy_no_cache proxy_pass_header proxy_redirect proxy_ssl_conf_command scgi_cache_bypass scgi_cache_valid
  scgi_hide_header scgi_no_cache scgi_pass_header set_real_ip_from ssl_certificate ssl_certificate_key ssl_conf_command
  sub_filter subs_filter uwsgi_cache_bypass uwsgi_cache_valid uwsgi_hide_header uwsgi_no_cache uwsgi_pass_header`.split(
    /\s+/,
  ),
)

/** Lists of MIME types: the directive may repeat, but naming a type twice makes nginx warn. */
const typeLists = new Set(
  `addition_types brotli_types charset_types gzip_types ssi_types sub_filter_types subs_filter_types xslt_types`.split(
    ' ',
  ),
)

/** Directives that may repeat once for each name that they define: the pattern takes the name from their arguments. */
const keyed: Readonly<Record<string, RegExp>> = {
  log_format: /^(\S+)/,
  proxy_set_header: /^(\S+)/,
  grpc_set_header: /^(\S+)/,
  fastcgi_param: /^(\S+)/,
  uwsgi_param: /^(\S+)/,
  scgi_param: /^(\S+)/,
  js_set: /^(\S+)/,
  perl_set: /^(\S+)/,
  lua_shared_dict: /^(\S+)/,
  limit_req_zone: /\bzone=([^:\s]+)/,
  limit_conn_zone: /\bzone=([^:\s]+)/,
  js_shared_dict_zone: /\bzone=([^:\s]+)/,
  proxy_cache_path: /\bkeys_zone=([^:\s]+)/,
  fastcgi_cache_path: /\bkeys_zone=([^:\s]+)/,
  uwsgi_cache_path: /\bkeys_zone=([^:\s]+)/,
  scgi_cache_path: /\bkeys_zone=([^:\s]+)/,
}

/** A directive's name and the values of its arguments. */
export interface Setting {
  readonly name: string
  readonly args: readonly string[]
}

/** How a directive may stand beside others of its name in the same block. */
export type Repetition = 'once' | 'keyed' | 'repeatable' | 'type-list'

export function repetitionOf(name: string): Repetition {
  if (repeatable.has(name)) return 'repeatable'
  if (typeLists.has(name)) return 'type-list'
  return name in keyed ? 'keyed' : 'once'
}

/** Two settings with the same slot cannot both stand in a block: nginx calls the second a duplicate, or sends it twice. */
export function slotOf({ name, args }: Setting): string {
  const pattern = keyed[name]
  if (pattern) {
    const key = pattern.exec(args.join(' '))?.[1] ?? ''
    return `${name} ${name.endsWith('_header') ? key.toLowerCase() : key}`
  }
  return repetitionOf(name) === 'repeatable' ? [name, ...args].join(' ') : name
}

const sized = /_(size|buffers|buffer|rate|length|lowat|after)$|^(output_buffers|slice)$/
const timed = /_(timeout|time|delay|inactive|valid|age)$/
const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const timeUnits: Readonly<Record<string, number>> = {
  ms: 0.001,
  '': 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  M: 2_592_000,
  y: 31_536_000,
}

/** Whether two settings mean the same: `16K` is `16k`, `65` is `65s`. */
export function sameSetting(a: Setting, b: Setting): boolean {
  if (a.name !== b.name || a.args.length !== b.args.length) return false
  return a.args.every((arg, index) => meaningOf(a.name, arg) === meaningOf(b.name, b.args[index] ?? ''))
}

function meaningOf(name: string, arg: string): string {
  if (/^(on|off)$/i.test(arg)) return arg.toLowerCase()
  if (sized.test(name)) return String(sizeInBytes(arg) ?? arg)
  if (timed.test(name)) return inUnits(/^(\d+)(ms|[smhdwMy]?)$/.exec(arg), timeUnits) ?? arg
  return arg
}

/** The bytes of a size as nginx spells it: `16k`. */
export function sizeInBytes(text: string): number | undefined {
  const bytes = inUnits(/^(\d+)([kmg]?)$/.exec(text.toLowerCase()), sizeUnits)
  return bytes === undefined ? undefined : Number(bytes)
}

function inUnits(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): string | undefined {
  const unit = units[match?.[2] ?? '']
  return match && unit !== undefined ? String(Number(match[1]) * unit) : undefined
}
