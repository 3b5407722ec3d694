import picomatch from 'picomatch'

/** Whether a path matches any of the globs, as `sh` expands them: `*` stays within a directory and skips dotfiles. */
export function matchesAny(path: string, globs: readonly string[]): boolean {
  return globs.some(
    // picomatch knows only [^a] for sh's [!a]
    glob => glob === path || picomatch.isMatch(path, glob.replaceAll('[!', '[^'), { noextglob: true, nobrace: true }),
  )
}
