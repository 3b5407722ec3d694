import picomatch from 'picomatch'

/** Whether an `include` is a pattern: nginx expands it, and finds nothing wrong with no match. Otherwise the file must be there. */
export function isGlob(include: string): boolean {
  return /[*?[]/.test(include)
}

/** Whether a path matches a pattern, as glob(3) matches for nginx: `*` and `?` stay within a directory and skip dotfiles. */
export function globMatches(pattern: string, path: string): boolean {
  if (!isGlob(pattern) || pattern.length > 4096) return pattern === path
  // picomatch knows the negation of a bracket only as regular expressions spell it.
  const glob = pattern.replaceAll('[!', '[^')
  return picomatch.isMatch(path, glob, { noextglob: true, nobrace: true, noglobstar: true, nonegate: true })
}

/** The directory whose entries decide what a pattern matches: `/etc/nginx/conf.d/*.conf` is decided in `/etc/nginx/conf.d`. */
export function globDirectory(pattern: string): string {
  const parts = pattern.split('/')
  const first = parts.findIndex(isGlob)
  return parts.slice(0, first === -1 ? -1 : first).join('/') || '/'
}
