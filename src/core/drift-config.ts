import { z } from 'zod'
import { Duration } from './units.ts'

/** A value that must not stand in a config: from the environment, or from a file of which it is the first line. */
export const SecretSource = z.union([
  z.string().min(1),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
])
export type SecretSource = z.infer<typeof SecretSource>

const common = {
  /** Tells notifiers of one kind apart in messages and in the history. Default: the kind. */
  name: z.string().min(1).optional(),
  /** Time for one try. Default 10s. */
  timeout: Duration.optional(),
  /** Tries in a run; what is not told then is told by the next run. Default 3. */
  tries: z.int().positive().max(10).optional(),
}

/** Posts JSON; with a secret, signed: `x-sak-signature: sha256=HEX` is the HMAC of `TIMESTAMP.BODY`, with `x-sak-timestamp`. */
const Webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: SecretSource,
  secret: SecretSource.optional(),
  headers: z.record(z.string(), SecretSource).optional(),
  ...common,
})

/** Posts `{ "text": ... }`, as Slack, Mattermost, Rocket.Chat and others take it. */
const Slack = z.strictObject({ kind: z.literal('slack'), url: SecretSource, ...common })

/** Sends a mail by SMTP. */
const Email = z.strictObject({
  kind: z.literal('email'),
  /** `smtp://host:587` or `smtps://host:465`. */
  server: z.string().regex(/^smtps?:\/\/./, { error: 'expected a server such as "smtps://mail.example.com:465"' }),
  user: z.string().optional(),
  password: SecretSource.optional(),
  from: z.string().min(1),
  to: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  ...common,
})

/** Runs a program here, with the JSON of the webhook on its stdin; it must exit with 0. */
const Command = z.strictObject({ kind: z.literal('command'), argv: z.array(z.string()).min(1), ...common })

export const NotifierConfig = z.discriminatedUnion('kind', [Webhook, Slack, Email, Command])
export type NotifierConfig = z.infer<typeof NotifierConfig>

/** Silences the alarms of what fits all its patterns: globs, or `~` and a regular expression. An apply heeds no such rule. */
export const IgnoreRule = z.strictObject({
  /** A host pattern, as `--limit` takes it. Default: all hosts. */
  hosts: z.string().min(1).optional(),
  /** The task's label. */
  task: z.string().min(1).optional(),
  /** The key (`saved`, `running`, `boot`), the path, the entry within it, or for what cannot be judged the code of the error. */
  key: z.string().min(1).optional(),
  /** What is found on the host; for files the diff. */
  value: z.string().min(1).optional(),
  /** Why, for whoever reads it in a year. */
  reason: z.string().min(1),
  /** The day or time when it ends: `2027-01-31`. */
  until: z.union([z.iso.date(), z.iso.datetime({ offset: true })]).optional(),
})
export type IgnoreRule = z.infer<typeof IgnoreRule>

/** What a config says of drift: who is told, what is ignored, how long things are kept. */
export const DriftConfig = z.strictObject({
  /** Who is told of what is new, changed or resolved. */
  notify: z
    .array(NotifierConfig)
    .refine(all => new Set(all.map(notifierName)).size === all.length, {
      error: 'two notifiers have one name: give each a "name"',
    })
    .optional(),
  /** Tell again of what is still there after this time. Default: never. */
  remind: Duration.optional(),
  ignore: z.array(IgnoreRule).optional(),
  /** How long the history is kept. Default 400d. */
  keep: Duration.optional(),
  /** Time for a whole run of `drift`. Default 30m. */
  deadline: Duration.optional(),
  /** Wait a random time of at most so long before a run of `drift`. Default: none. */
  jitter: Duration.optional(),
})
export type DriftConfig = z.infer<typeof DriftConfig>

/** A notifier as messages and the history name it. */
export function notifierName({ name, kind }: NotifierConfig): string {
  return name ?? kind
}
