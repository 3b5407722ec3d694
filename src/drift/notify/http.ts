import { createHmac } from 'node:crypto'
import { type ConfigOf, messageJson, type Send } from './message.ts'
import { secretValue } from './secret.ts'

/** Posts a message as JSON, signed where there is a secret to sign with. */
export function webhook({ url, secret, headers = {} }: ConfigOf<'webhook'>): Send {
  return async (message, signal) => {
    const body = messageJson(message)
    const values = Object.entries(headers).map(async ([name, source]) => [name, await secretValue(source)] as const)
    const signed = secret === undefined ? {} : signature(body, await secretValue(secret))
    await post(await secretValue(url), body, { ...Object.fromEntries(await Promise.all(values)), ...signed }, signal)
  }
}

/** `x-sak-signature` is over the time too: a message that somebody kept cannot be sent again later. */
function signature(body: string, secret: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'x-sak-timestamp': timestamp, 'x-sak-signature': `sha256=${digest}` }
}

/** Slack cuts texts that are longer. */
const longestText = 35_000

/** Posts a text as Slack takes it, and all who took its form over. */
export function slack({ url }: ConfigOf<'slack'>): Send {
  return async ({ title, text }, signal) => {
    const fenced = text.slice(0, longestText).replaceAll('```', "'''")
    const escaped = `${title}\n\`\`\`\n${fenced}\n\`\`\``.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    await post(await secretValue(url), JSON.stringify({ text: escaped.replaceAll('>', '&gt;') }), {}, signal)
  }
}

/** The URL of a webhook may be all that is secret about it: errors name its host only. */
async function post(url: string, body: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
  const host = URL.canParse(url) ? new URL(url).host : 'the URL'
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'sak-reconcile', ...headers },
    body,
    redirect: 'error',
    signal,
  }).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new Error(`${host}: ${cause instanceof Error ? cause.message : String(cause)}`)
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`${host} answered ${response.status}`)
}
