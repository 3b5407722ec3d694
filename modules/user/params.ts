import { AbsolutePath, holdsSecret, orSecret, UserName } from 'sak-reconcile'
import { z } from 'zod'

/** What a field of /etc/passwd may hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const field = /^[^:\x00-\x1f\x7f]*$/

const FieldPath = AbsolutePath.refine(path => field.test(path), { error: 'expected a path without ":"' })

const PasswordHash = orSecret(
  z.string().refine(text => holdsSecret(text) && /^\w+$/.test(text), {
    error: "expected a secret that holds the hash, such as secret.env('APP_PASSWORD_HASH')",
  }),
)

export const Params = z
  .strictObject({
    name: UserName.describe('The account'),
    uid: z
      .int()
      .min(1)
      .max(2 ** 32 - 2)
      .optional()
      .describe('Its number; left out: the next that is free, and an account that is there keeps its own'),
    group: UserName.optional().describe(
      'Its primary group; left out: the group that is called as the account, which is made with it. An account that is there keeps its own',
    ),
    groups: z.array(UserName).optional().describe('The other groups that it is in; left out: as they are'),
    appendGroups: z
      .boolean()
      .default(true)
      .describe('It may be in more groups than these; false: in these and no others'),
    createGroups: z.boolean().default(false).describe('Make groups that the host does not have'),
    home: FieldPath.optional().describe(
      'Its home; left out: /home/NAME, and an account that is there keeps its own. A change moves no files',
    ),
    createHome: z
      .boolean()
      .optional()
      .describe(
        'Make the home where it is missing, with what is in /etc/skel; left out: unless it is a system account',
      ),
    shell: FieldPath.optional().describe(
      'Its shell; left out: /bin/bash, of a system account /usr/sbin/nologin, and an account that is there keeps its own',
    ),
    comment: z
      .string()
      .regex(field, { error: 'expected a text of one line without ":"' })
      .optional()
      .describe('Who or what it is for (GECOS); left out: as it is'),
    system: z.boolean().default(false).describe('Made as an account for a service: a low number, no home'),
    password: PasswordHash.optional().describe(
      'The hash of its password, as a secret (crypt(5); mkpasswd or openssl passwd -6 make one). Left out: as it is, and none for one that is made',
    ),
    locked: z
      .boolean()
      .optional()
      .describe(
        'Nobody may log in, by password, key or otherwise; false: neither password nor account is locked. Left out: as it is',
      ),
    renumber: z
      .boolean()
      .default(false)
      .describe('Change the number of an account that is there: files outside of its home keep the old one'),
    oldGroups: z
      .enum(['restart', 'leave'])
      .default('restart')
      .describe(
        'What runs on without the groups that it should have: restart its units of systemd, or leave it and do not look',
      ),
    absent: z.literal(true).optional().describe('There must be no such account'),
    removeHome: z.boolean().default(false).describe('With absent: remove its home and all that is in it too'),
  })
  .superRefine(({ name, absent, removeHome, uid, groups, group }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (name === 'root' && absent) say('name', 'root cannot be removed')
    if (name === 'root' && uid !== undefined) say('uid', 'the number of root is 0')
    if (removeHome && !absent) say('removeHome', 'goes with absent: true')
    if (group !== undefined && groups?.includes(group)) say('groups', `${group} is the primary group already`)
  })
export type Params = z.output<typeof Params>
