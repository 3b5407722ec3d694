import { replaceTokens } from '../core/secret.ts'
import { isTooCommon } from '../core/secret-forms.ts'
import { mapTexts } from '../core/texts.ts'

/** Names whose value is a secret, as in `DB_PASSWORD=...`, `"apiKey": "..."`, `_authToken=...`. */
const name = String.raw`[\w.-]{0,60}(?:pass(?:word|wd|phrase)?|[_.-]pwd|secret|token|_auth|credentials?|(?:api|access|private|secret|encryption|signing|master)[_-]?key|_key|dsn|webhook)`

/** Texts that are secrets by what stands around them or by what they look like; the second group is the secret. */
const rules: readonly RegExp[] = [
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]*?)(?=-----END)/g,
  new RegExp(String.raw`(\b${name}\\["']\s*[:=]\s*\\["'])((?:(?!\\["']).)+)`, 'gi'),
  new RegExp(String.raw`(\b${name}["']?\s*[:=]\s*["'])((?:[^"'\\\n]|\\.)+)`, 'gi'),
  new RegExp(String.raw`(\b${name}\s*[:=]\s*)([^\s"'\\,;{}()[\]]+)`, 'gi'),
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*:)([^\s@/"']+)(?=@)/gi,
  /(\bauthorization\W{1,6}(?:Bearer|Basic)\s+|\bBearer\s+(?=\S{16}))([A-Za-z0-9._~+/=-]{4,})/gi,
  /()(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)/g,
  /()(\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abprs]-|sk_live_|rk_live_|sk-)[A-Za-z0-9_-]{16,})/g,
  /()(\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g,
  /()(\$(?:1|2[abxy]|5|6|7|y|gy|argon2id?)\$[^\s:"']{8,})/g,
  /()(SCRAM-SHA-256\$[^\s"']+|\bmd5[0-9a-f]{32}\b)/g,
]

/** What stands behind such a name and tells nothing. */
const harmless =
  /^(?:true|false|null|undefined|yes|no|on|off|none|\d{1,3}|\$[{(]?[A-Za-z_]\w*[)}]?|\/[\w./-]*|saksecret_\w+|masked-\d+)$/i

/**
 * Plain data with its secrets masked: the same secret by the same word wherever it stands, so that what was equal stays so. Secrets are
 * those that the playbook names (their tokens), and what looks like one. Answers how many there were.
 */
export function maskSecrets<T>(data: T): { readonly masked: T; readonly count: number } {
  const words = new Map<string, string>()
  const wordFor = (secret: string) => {
    const word = words.get(secret) ?? `masked-${words.size + 1}`
    words.set(secret, word)
    return word
  }
  const byRule = mapTexts(data, text =>
    rules.reduce(
      (so, rule) =>
        so.replace(rule, (whole: string, before: string, secret: string) =>
          harmless.test(secret) ? whole : `${before}${wordFor(secret)}`,
        ),
      replaceTokens(text, id => wordFor(`\0secret ${id}`)),
    ),
  )
  const known = [...words]
    .filter(([secret]) => !secret.startsWith('\0') && !isTooCommon(secret))
    .sort(([a], [b]) => b.length - a.length)
  const masked = mapTexts(byRule, text => known.reduce((so, [secret, word]) => so.replaceAll(secret, word), text))
  return { masked, count: words.size }
}
