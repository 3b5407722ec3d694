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

/** pm2-logrotate's own. */
const usualDateFormat = 'YYYY-MM-DD_HH-mm-ss'

/** Old logs are ordered, and removed, by name; two of the same name overwrite each other. */
const keepsOldLogs = (format: string) =>
  /^[^A-Za-z]*(?:[Xx]|YYYY[^A-Za-z]*MM[^A-Za-z]*DD.*HH.*mm.*ss)/.test(format.replace(/\[[^\]]*\]/g, ''))

const DateFormat = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,60}$/, { error: 'expected a format of moment.js such as "YYYY-MM-DD_HH-mm-ss"' })
  .refine(keepsOldLogs, {
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
    .describe('A log this big is rotated: whole K, M or G, pm2-logrotate reads nothing else'),
  retain: z
    .union([z.int().min(1), z.literal('all')])
    .default(7)
    .describe('How many old logs of each log are kept'),
  compress: z.boolean().optional().describe('gzip old logs. Version 3.0.0 never does, whatever it is told'),
  dateFormat: DateFormat.optional().describe(
    "What an old log is called. Default: as it is, unless old logs would be lost by it; then pm2-logrotate's own",
  ),
  workerInterval: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe('Seconds between looks at the sizes. Default: as it is'),
  rotateInterval: z
    .string()
    .regex(/^[\w*,/?#L -]{5,100}$/, { error: 'expected a cron pattern such as "0 0 * * *"' })
    .optional()
    .describe('When all logs are rotated, whatever their size: a cron pattern. Default: as it is'),
  TZ: z
    .string()
    .regex(/^[A-Za-z0-9_+/-]{1,60}$/, { error: 'expected a time zone such as "Europe/Berlin"' })
    .optional()
    .describe('The time zone of the names. Default: as it is'),
})
export type Params = z.output<typeof Params>

/** Settings as PM2 keeps them: strings. */
export type Settings = Readonly<Record<string, string>>

/** The settings that params state. */
function statedSettings(params: Params): Settings {
  return Object.fromEntries(
    settingNames.flatMap(name => {
      const value = params[name]
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
}

/**
 * The settings to be had: those that params state, and a date format where the host's would have logs overwritten.
 * `saved` and `running` are what the file says and what the process was started with.
 */
export function wantedSettings(params: Params, saved: Settings, running: Settings): Settings {
  const stated = statedSettings(params)
  // pm2-logrotate takes an empty one for none, and its own instead
  const losing = [saved.dateFormat, running.dateFormat].some(format => format && !keepsOldLogs(format))
  if (params.dateFormat !== undefined || !losing) return stated
  const dateFormat = saved.dateFormat && keepsOldLogs(saved.dateFormat) ? saved.dateFormat : usualDateFormat
  return { ...stated, dateFormat }
}
