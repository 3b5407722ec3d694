import { AbsolutePath, escapeSecrets, orSecret } from 'sak-reconcile'
import { z } from 'zod'
import { repetitionOf, type Setting, slotOf } from './directives.ts'
import { parseConfig } from './parse.ts'

/** Directives with blocks, and those that stand outside `http`: neither can be a setting of `http`. */
const blocks = /^(http|server|upstream|map|geo|types|split_clients|location|if|include|match|stream|mail|events)$/
const outside =
  /^(user|worker_\w+|pid|daemon|master_process|env|load_module|pcre_jit|use|multi_accept|thread_pool|timer_resolution|lock_file)$/

const DirectiveName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, { error: 'expected the name of an nginx directive such as "keepalive_timeout"' })
  .refine(name => !blocks.test(name), {
    error: 'a block or an include cannot be set here: use `upstreams` or `sites`, or a file of your own in conf.d',
  })
  .refine(name => !outside.test(name), { error: 'not a directive of `http`: it stands at the top of nginx.conf' })

/** Arguments as nginx spells them. nginx's own reader must find nothing else in them. */
const Arguments = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^[^\x00-\x1f\x7f]+$/, { error: 'expected the arguments of a directive, on one line, such as "2 1k"' })
  .refine(isArguments, { error: 'expected the arguments only: balanced quotes, no ";", "{" or "}" outside of quotes' })

/** Whether a text stays within its directive: nothing in it can end it, open a block or hide what follows. */
export function isArguments(text: string): boolean {
  const { directives, error } = parseConfig(`x ${text};`)
  const [only, ...more] = directives
  return !error && more.length === 0 && only !== undefined && only.args.length > 0 && !only.block
}

const Value = z
  .union([
    z.boolean().transform(on => (on ? 'on' : 'off')),
    z.number().int().nonnegative().transform(String),
    orSecret(Arguments).transform(text => escapeSecrets(text, 'word')),
  ])
  .describe('as nginx spells it: `65`, `true` (on), "16k", "2 1k"')

const Name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, { error: 'expected a name of letters, digits, ".", "_" or "-"' })

const Upstream = z.strictObject({
  servers: z
    .array(Arguments)
    .min(1)
    .describe('Addresses with their parameters: "localhost:5000", "10.0.0.2:80 weight=2", "unix:/run/app.sock".'),
  keepalive: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      'Idle connections that each worker keeps open. Its locations then get HTTP/1.1 and an empty Connection header.',
    ),
  balance: z
    .enum(['least_conn', 'ip_hash', 'random'])
    .optional()
    .describe('How requests are shared out; default in turn.'),
})

const ServerName = z
  .string()
  .regex(/^[A-Za-z0-9_*.-]+$/, { error: 'expected a host name such as "shop.example.com", "*.example.com" or "_"' })

const Site = z.strictObject({
  listen: z
    .array(z.union([z.number().int().min(1).max(65_535).transform(String), Arguments]))
    .min(1)
    .default(['80'])
    .describe('Ports or addresses, with their parameters: 80, "[::]:80", "443 ssl".'),
  server_name: z.array(ServerName).min(1).describe('The names that this site answers to.'),
  upstream: Name.describe('The upstream (of this task) that requests go to.'),
  root: AbsolutePath.regex(/^[^\s;{}"'\\$]+$/, { error: 'expected a path without blanks, quotes, braces, ";" or "$"' })
    .optional()
    .describe('A directory of static files: what is there is served, all else goes to the upstream.'),
})

export type Params = z.output<typeof Params>

export const Params = z
  .strictObject({
    http: z
      .record(DirectiveName, z.union([Value, z.array(Value).min(1)]))
      .default({})
      .describe(
        'Directives of `http`: name to arguments as nginx spells them, on one line; true is `on`. A list where a directive may repeat (add_header). Blocks, and directives that stand outside of `http`, are refused.',
      ),
    upstreams: z.record(Name, Upstream).default({}).describe('Groups of servers to proxy to, by name.'),
    sites: z.record(Name, Site).default({}).describe('Small reverse-proxy sites, by any name. No TLS.'),
    path: AbsolutePath.refine(path => !/["'\\;{}*?[\]$#\s]/.test(path), {
      error: 'expected a path without blanks, quotes or globs',
    })
      .default('/etc/nginx/conf.d/60-sak.conf')
      .describe('Our file. nginx.conf must include it within `http`.'),
    overrides: z
      .enum(['report', 'remove'])
      .default('report')
      .describe(
        'What another file sets otherwise: "report" blocks the task and names file and line, "remove" changes it there.',
      ),
  })
  .superRefine((params, context) => {
    for (const [path, message] of contradictions(params)) context.addIssue({ code: 'custom', path, message })
  })

/** The settings of `http` that the params ask for, each as one directive. */
export function settingsOf(params: Pick<Params, 'http' | 'upstreams'>): (Setting & { text: string })[] {
  const wanted = Object.entries(params.http).flatMap(([name, value]) => [value].flat().map(text => setting(name, text)))
  if (!Object.values(params.upstreams).some(upstream => upstream.keepalive)) return wanted
  const slots = new Set(wanted.map(slotOf))
  const needed = [setting('proxy_http_version', '1.1'), setting('proxy_set_header', 'Connection ""')]
  return [...wanted, ...needed.filter(need => !slots.has(slotOf(need)))]
}

/** A directive from its name and the text of its arguments. */
export function setting(name: string, text: string): Setting & { text: string } {
  const args = parseConfig(`${name} ${text};`).directives[0]?.args ?? []
  return { name, text, args: args.map(arg => arg.value) }
}

function* contradictions(params: Pick<Params, 'http' | 'upstreams' | 'sites'>): Generator<[string[], string]> {
  for (const [name, value] of Object.entries(params.http)) {
    if (!Array.isArray(value)) continue
    const slots = value.map(text => slotOf(setting(name, text)))
    if (repetitionOf(name) === 'once' && slots.length > 1) yield [['http', name], 'may stand only once: give one value']
    else if (new Set(slots).size < slots.length) yield [['http', name], 'the same value twice: leave one out']
  }
  const keepalive = Object.values(params.upstreams).some(upstream => upstream.keepalive)
  for (const { name, args } of keepalive ? settingsOf(params) : []) {
    const connection = name === 'proxy_set_header' && args[0]?.toLowerCase() === 'connection'
    if (connection && args[1] !== '') yield [['http', name], 'an upstream with keepalive needs `Connection ""`']
    if (name === 'proxy_http_version' && args[0] !== '1.1')
      yield [['http', name], 'an upstream with keepalive needs 1.1']
  }
  for (const [name, { upstream }] of Object.entries(params.sites)) {
    if (!Object.hasOwn(params.upstreams, upstream)) {
      yield [['sites', name, 'upstream'], `there is no upstream "${upstream}": add it to \`upstreams\``]
    }
  }
}
