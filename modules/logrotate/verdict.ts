import { blocked, type Host, run, type SakError, type Step } from 'sak-reconcile'

/** The configuration that the timer or cron job gives to logrotate, and the directory that it includes. */
export const mainFile = '/etc/logrotate.conf'
export const includedDirectory = '/etc/logrotate.d'

// Its exit code is 0 for many a mistake, and 1 for mistakes of others: only the lines tell.
const ask = `logrotate -d "$1" 2>&1 | grep -E '^(error: |including |reading config file )'
:`

/**
 * Asks logrotate what it makes of the whole configuration as it is. Only root's logrotate looks at the owners and modes
 * of its files. Not to be asked where the configuration has `createolddir`: even `-d` makes those directories.
 */
export async function readVerdict(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.command(['sh', '-s', '--', mainFile], { stdin: ask, as: 'root' })
  return stdout.split('\n').filter(line => line !== '')
}

/** What stands in the way according to logrotate, given that our file is (`written`) or is not yet as it should be. */
export function verdictErrors(
  lines: readonly string[],
  name: string,
  written: boolean,
  isOurs: (path: string) => boolean,
): readonly SakError[] {
  const errors = lines.filter(line => line.startsWith('error: ')).map(line => line.slice('error: '.length))
  if (!lines.includes(`including ${includedDirectory}`)) {
    const why = errors[0] === undefined ? `it has no line "include ${includedDirectory}"` : `it is broken: ${errors[0]}`
    const message = `logrotate never reads ${includedDirectory} from ${mainFile}: ${why}. It was so before this task`
    return [blocked('unsupported', message, `mend ${mainFile}; \`logrotate -d ${mainFile}\` shows what it reads`)]
  }
  if (!written) return []
  const about = errors.filter(error => isAboutFile(error, name) || isOurs(pathIn(error)))
  const unread = about.length === 0 && !lines.includes(`reading config file ${name}`)
  const said = unread ? ['it is passed over (tabooext or taboopat)'] : about.slice(0, 1)
  return said.map(why =>
    blocked(
      'refused',
      `logrotate does not accept ${includedDirectory}/${name}, although it is as it should be: ${why}`,
      `\`logrotate -d ${mainFile}\` says the same`,
    ),
  )
}

function isAboutFile(error: string, name: string): boolean {
  return error.startsWith(`${name}:`) || error.startsWith(`Ignoring ${name} `)
}

function pathIn(error: string): string {
  return /^stat of (.+) failed: /.exec(error)?.[1] ?? /^skipping "(.+?)" because /.exec(error)?.[1] ?? ''
}

// Compares what logrotate says with and without the files that were written: what others broke before is not ours.
const validation = `conf=$1; name=$2; shift
umask 077
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
{ printf 'taboopat +'; printf ' %s' "$@"; printf '\\ninclude %s\\n' "$conf"; } >"$dir/without"
logrotate -d "$dir/without" 2>&1 | grep '^error:' | sort -u >"$dir/before"
logrotate -d "$conf" >"$dir/all" 2>&1
grep '^error:' "$dir/all" | sort -u >"$dir/after"
broken() {
  if [ -s "$dir/before" ]; then echo "was there before, not ours:"; cat "$dir/before"; fi
  exit 1
} >&2
if grep -vxFf "$dir/before" "$dir/after" >&2; then broken; fi
grep -qxF "reading config file $name" "$dir/all" || { echo "logrotate does not read $name" >&2; broken; }`

/** Lets logrotate judge the whole configuration after files were written; \`names\` begins with our own file's. */
export function validateAll(names: readonly string[]): Step {
  return run(['sh', '-s', '--', mainFile, ...names], {
    title: 'check the whole configuration (logrotate -d)',
    stdin: validation,
    undo: 'resumable',
  })
}
