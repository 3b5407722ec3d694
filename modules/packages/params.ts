import { Duration } from 'sak-reconcile'
import { z } from 'zod'

/** deb-control(5): lower case letters, digits, `+`, `-`, `.`. One that ends in `-` would tell apt-get to remove. */
const PackageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.+-]*[a-z0-9.+](:[a-z0-9-]+)?$/, {
    error: 'expected the name of a package such as "nginx" or "libc6:i386"',
  })
  .meta({ title: 'package name' })

const PackageVersion = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+:~-]*\*?$/, { error: 'expected a version such as "1.22.1-9", or "1.22.*"' })
  .meta({ title: 'package version' })

export const Params = z
  .strictObject({
    name: z
      .union([PackageName, z.array(PackageName).min(1)])
      .transform(name => [...new Set([name].flat())])
      .describe('The package, or several that come and go together in one run of apt'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('"present": installed and configured, whichever version unless one is asked for'),
    version: PackageVersion.optional().describe(
      'The version of each, whole ("1.22.1-9", "1:9.2p1-2") or its beginning ("1.22.*")',
    ),
    hold: z
      .boolean()
      .optional()
      .describe('Whether it is held (apt-mark hold), so that nobody else upgrades or removes it; left out, as it is'),
    purge: z.boolean().default(false).describe('With "absent": its configuration and data go too'),
    recommends: z
      .boolean()
      .optional()
      .describe('Whether recommended packages come along; left out, as the host is configured'),
    mayRemove: z
      .array(PackageName)
      .default([])
      .describe('Other packages that may go, where apt cannot do it otherwise; else the task is blocked'),
    mayDowngrade: z
      .array(PackageName)
      .default([])
      .describe('Packages that may get an older version; else the task is blocked'),
    listsMaxAge: Duration.default('2d').describe(
      "How old apt's lists may be when something is to be installed; older ones are fetched before (apt-get update)",
    ),
  })
  .superRefine(({ state, version, hold, purge }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (state === 'present' && purge) say('purge', 'goes with state: "absent"')
    if (state === 'absent' && version !== undefined) say('version', 'what is to be absent has none')
    if (state === 'absent' && hold) say('hold', 'what is to be absent cannot be held')
  })
export type Params = z.output<typeof Params>

/** Whether a version is the one that is asked for, or begins as asked. */
export function isVersion(version: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  return wanted.endsWith('*') ? version.startsWith(wanted.slice(0, -1)) : version === wanted
}
