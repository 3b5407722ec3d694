/** What systemd-sysctl and `sysctl --system` really do with a tree of files: run in a mount namespace, on plain files as /proc/sys. */
import fc from 'fast-check'
import type { FakeHostState } from '../../src/testing.ts'

/** Files by path; `null` is a link to /dev/null. */
export type Tree = Readonly<Record<string, string | null>>
/** What a reader left in each key, by `READER KEY`. */
export type Outcome = Readonly<Record<string, string>>

export const keys: Readonly<Record<string, string>> = {
  'vm.a': 'vm/a',
  'vm.b': 'vm/b',
  'net.ipv4.conf.all.rp': 'net/ipv4/conf/all/rp',
  'net.ipv4.conf.eth0/100.rp': 'net/ipv4/conf/eth0.100/rp',
}

const spelling = fc.constantFrom(
  ...['vm.a', 'vm/a', 'vm.b', 'vm/b', 'net.ipv4.conf.all.rp', 'net.ipv4.conf.eth0/100.rp', 'net/ipv4/conf/eth0.100/rp'],
  ...['net.ipv4.conf.*.rp', 'net.ipv4.conf.eth0/100.?p', 'vm.[ab]'],
)
const line = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', ' ', '\t', '-', '#', ';', ' #'),
      spelling,
      fc.constantFrom('=', ' = ', '\t='),
      fc.constantFrom('1 2', '1\t2', '1  2 ', '3', '4 # x', '', '1=2', '1 2\r'),
    )
    .map(parts => parts.join('')),
  spelling.map(key => `-${key}`),
  fc.constantFrom('', '  ', '# x', 'garbage', '=3', '-', '-=4'),
)
const content = fc
  .tuple(fc.array(line, { maxLength: 4 }), fc.constantFrom('', '\n'))
  .map(([lines, end]) => lines.join('\n') + end)
const directory = fc.constantFrom('/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d')
const name = fc.constantFrom('10-a.conf', '60-sal.conf', '99-z.conf', '.99-h.conf', '99-z.txt')
const path = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(directory, name).map(parts => parts.join('/')) },
  { weight: 1, arbitrary: fc.constant('/etc/sysctl.conf') },
)

/** Trees of a few files. */
export const tree: fc.Arbitrary<Tree> = fc.dictionary(
  path,
  fc.oneof({ weight: 8, arbitrary: content }, { weight: 1, arbitrary: fc.constant(null) }),
  { maxKeys: 5 },
)

/** The host as our module would see it, with every key at the value we want. /lib is a link to /usr/lib, as on Debian 12. */
export function treeOf(files: Tree): FakeHostState {
  const seen = Object.entries(files).flatMap(([path, content]) => {
    const file = content === null ? { type: 'other' as const } : { content }
    return path.startsWith('/usr/lib/')
      ? [
          [path, file],
          [path.slice(4), { ...file, realPath: path }],
        ]
      : [[path, file]]
  })
  const running = Object.values(keys).map(key => [`/proc/sys/${key}`, { content: '1 2\n' }])
  return { files: Object.fromEntries([...seen, ...running, ['/sbin/sysctl', {}]]) }
}

/** A script that prints the outcome of each tree as a line of JSON. */
export function readersScript(trees: readonly Tree[]): string {
  return `set -e
mkdir -p /run/sysctl.d /usr/local/lib/sysctl.d /tmp/readers
cat >/tmp/readers/run <<'E'
mount -t tmpfs none /proc/sys
for k in ${Object.values(keys).join(' ')}; do mkdir -p /proc/sys/\${k%/*}; : >/proc/sys/$k; done
for d in etc run usr/local/lib usr/lib; do mkdir -p $1/$d/sysctl.d; mount --bind $1/$d/sysctl.d /$d/sysctl.d; done
touch $1/etc/sysctl.conf; mount --bind $1/etc/sysctl.conf /etc/sysctl.conf
case $2 in systemd) /usr/lib/systemd/systemd-sysctl ;; procps) /sbin/sysctl --system ;; esac >/dev/null 2>&1 || true
for k in ${Object.values(keys).join(' ')}; do printf '%s"%s %s":"%s"' "$c" $2 $k "$(head -n 1 /proc/sys/$k | tr -s ' \\t\\r' ' ' | sed 's/ $//')"; c=,; done
E
${trees.map(oneTree).join('')}rm -rf /tmp/readers
`
}

function oneTree(files: Tree): string {
  const puts = Object.entries(files).map(([path, content]) => {
    const target = `/tmp/readers/tree${path}`
    const put =
      content === null
        ? `ln -s /dev/null ${target}`
        : `echo ${Buffer.from(content).toString('base64')} | base64 -d >${target}`
    return `${put}\n`
  })
  const run = (reader: string) => `unshare -m sh /tmp/readers/run /tmp/readers/tree ${reader}`
  return `rm -rf /tmp/readers/tree
for d in etc run usr/local/lib usr/lib; do mkdir -p /tmp/readers/tree/$d/sysctl.d; done
${puts.join('')}printf '{'; ${run('systemd')}; printf ,; ${run('procps')}; echo '}'
`
}
