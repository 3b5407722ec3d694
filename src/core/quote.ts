const keywords = /^(?:if|then|elif|else|fi|do|done|case|esac|while|until|for|in|function|select|time|coproc)$/

/** One argument as a single POSIX shell word that comes back unchanged and is never a keyword or an assignment. */
export function quote(arg: string): string {
  if (arg.includes('\0')) throw new TypeError('a shell argument cannot hold a NUL character')
  if (/^[\w@+:,./-]+$/.test(arg) && !keywords.test(arg)) return arg
  return `'${arg.replaceAll("'", "'\\''")}'`
}

/** A command line that runs exactly this argv. */
export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ')
}
