import { userInfo } from 'node:os'

/** Who runs this process. A user without an entry in passwd (a container's, say) goes by number. */
export function localUser(): { readonly username: string; readonly homedir: string } {
  try {
    const { username, homedir } = userInfo()
    return { username, homedir }
  } catch {
    return { username: String(process.getuid?.() ?? 'unknown'), homedir: process.env.HOME ?? '/' }
  }
}
