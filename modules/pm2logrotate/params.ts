import { AbsolutePath, UserName } from 'sak-reconcile'
import { z } from 'zod'

const maxSize = { error: 'expected whole K, M or G such as "10M": pm2-logrotate reads nothing else' }

/** The settings, by pm2-logrotate's own names. */
export const settingNames = [
  'max_size',
  'retain',
  'compress',
  'dateFormat',
  'workerInterval',
  'rotateInterval',
  'TZ',
] as const

/** Old logs are ordered, and removed, by name; two of the same name overwrite each other. */
const DateFormat = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,60}$/, { error: 'expected a format of moment.js such as "YYYY-MM-DD_HH-mm-ss"' })
  .refine(format => /^[^A-Za-z]*YYYY[^A-Za-z]*MM[^A-Za-z]*DD.*HH.*mm.*ss/.test(format), {
    error:
      'must go from year to second, such as "YYYY-MM-DD_HH-mm-ss": old logs are removed in the order of their names, and two ' +
      'rotations of the same name overwrite each other',
  })

export const Params = z.strictObject({
  user: UserName.describe('Whose PM2'),
  pm2Home: AbsolutePath.optional().describe('Where that PM2 keeps its state. Default: .pm2 in the home of the user'),
  pm2: AbsolutePath.optional().describe('The pm2 program. Default: what the boot unit starts, else what is found'),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, { error: 'expected an exact version such as "3.0.0"' })
    .optional()
    .describe('The version of pm2-logrotate. Default: any that is installed, else the newest'),
  max_size: z
    .string()
    .regex(/^[1-9]\d{0,8}[KMG]$/, maxSize)
    .default('10M')
    .describe('A log this big is rotated'),
  retain: z
    .union([z.int().min(1), z.literal('all')])
    .default(7)
    .describe('How many old logs of each log are kept'),
  compress: z.boolean().optional().describe('gzip old logs. Version 3.0.0 never does, whatever it is told'),
  dateFormat: DateFormat.optional().describe('What an old log is called'),
  workerInterval: z.int().min(1).max(86_400).optional().describe('Seconds between looks at the sizes'),
  rotateInterval: z
    .string()
    .regex(/^[\w*,/?#L -]{5,100}$/, { error: 'expected a cron pattern such as "0 0 * * *"' })
    .optional()
    .describe('When all logs are rotated, whatever their size: a cron pattern'),
  TZ: z
    .string()
    .regex(/^[A-Za-z0-9_+/-]{1,60}$/, { error: 'expected a time zone such as "Europe/Berlin"' })
    .optional()
    .describe('The time zone of the names'),
})
export type Params = z.output<typeof Params>

/** Settings as PM2 keeps them: strings. */
export type Settings = Readonly<Record<string, string>>

/** The settings that params state. */
export function statedSettings(params: Params): Settings {
  return Object.fromEntries(
    settingNames.flatMap(name => {
      const value = params[name]
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
}
