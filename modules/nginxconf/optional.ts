/** Directives that nginx knows only with a module that may be missing, and what Debian calls its package. */
interface OptionalModule {
  readonly directives: RegExp
  /** The name in `load_module`, without `.so`. */
  readonly dynamic?: string
  /** The `configure` argument of an nginx that has it built in. */
  readonly builtIn?: string
  readonly package?: string
}

const optional: readonly OptionalModule[] = [
  {
    directives: /^brotli(_types|_comp_level|_min_length|_buffers|_window)?$/,
    dynamic: 'ngx_http_brotli_filter_module',
    package: 'libnginx-mod-http-brotli-filter',
  },
  {
    directives: /^brotli_static$/,
    dynamic: 'ngx_http_brotli_static_module',
    package: 'libnginx-mod-http-brotli-static',
  },
  {
    directives: /^more_(set|clear)_/,
    dynamic: 'ngx_http_headers_more_filter_module',
    package: 'libnginx-mod-http-headers-more-filter',
  },
  { directives: /^geoip_/, dynamic: 'ngx_http_geoip_module', package: 'libnginx-mod-http-geoip' },
  { directives: /^lua_/, dynamic: 'ngx_http_lua_module', package: 'libnginx-mod-http-lua' },
  { directives: /^js_/, dynamic: 'ngx_http_js_module', package: 'libnginx-mod-http-js' },
  { directives: /^perl_/, dynamic: 'ngx_http_perl_module', package: 'libnginx-mod-http-perl' },
  { directives: /^fancyindex/, dynamic: 'ngx_http_fancyindex_module', package: 'libnginx-mod-http-fancyindex' },
  { directives: /^subs_filter/, dynamic: 'ngx_http_subs_filter_module', package: 'libnginx-mod-http-subs-filter' },
  { directives: /^image_filter/, dynamic: 'ngx_http_image_filter_module', package: 'libnginx-mod-http-image-filter' },
  { directives: /^(xslt|xml)_/, dynamic: 'ngx_http_xslt_filter_module', package: 'libnginx-mod-http-xslt-filter' },
  { directives: /^(set_real_ip_from|real_ip_)/, builtIn: '--with-http_realip_module' },
  { directives: /^sub_filter/, builtIn: '--with-http_sub_module' },
  { directives: /^gzip_static$/, builtIn: '--with-http_gzip_static_module' },
  { directives: /^gunzip/, builtIn: '--with-http_gunzip_module' },
  { directives: /^(add_(before|after)_body|addition_types)$/, builtIn: '--with-http_addition_module' },
  { directives: /^auth_request/, builtIn: '--with-http_auth_request_module' },
  { directives: /^ssl_/, builtIn: '--with-http_ssl_module' },
  { directives: /^http2/, builtIn: '--with-http_v2_module' },
]

/**
 * What a directive lacks: the module that knows it, neither loaded nor built in.
 * `build` is what `nginx -V` said, `loaded` the arguments of all `load_module`s.
 */
export function missingModule(name: string, build: string, loaded: readonly string[]): OptionalModule | undefined {
  if (!build.includes('configure arguments:')) return undefined
  const needed = optional.find(module => module.directives.test(name))
  if (!needed) return undefined
  const { dynamic, builtIn } = needed
  // Built in under its own name too: --add-module=../ngx_brotli, --with-http_geoip_module.
  const flag = builtIn ?? `--with-${dynamic?.replace(/^ngx_/, '')}`
  if (new RegExp(`${flag}(?!=dynamic)(\\s|$)`).test(build)) return undefined
  const stem = dynamic?.replace(/^ngx_http_|_(filter_|static_)?module$/g, '')
  if (stem && new RegExp(`--add-module=\\S*${stem.replaceAll('_', '.')}`).test(build)) return undefined
  return dynamic && loaded.some(path => path.endsWith(`${dynamic}.so`)) ? undefined : needed
}

/** Names the module that is missing and where to get it. */
export function describeMissing({ dynamic, builtIn, package: debian }: OptionalModule): { what: string; hint: string } {
  if (debian) return { what: dynamic ?? debian, hint: `packages({ name: '${debian}' }) before this task installs it` }
  return { what: builtIn ?? 'a module', hint: `it wants an nginx that was configured ${builtIn}` }
}
