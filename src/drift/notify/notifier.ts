import { type NotifierConfig, notifierName } from '../../core/drift-config.ts'
import { durationMs } from '../../core/units.ts'
import { command } from './command.ts'
import { email } from './email.ts'
import { slack, webhook } from './http.ts'
import type { Notifier, Send } from './message.ts'

/** A notifier as a config describes it. */
export function notifierOf(config: NotifierConfig): Notifier {
  const timeoutMs = durationMs(config.timeout ?? '10s')
  return { name: notifierName(config), timeoutMs, tries: config.tries ?? 3, send: sendBy(config, timeoutMs) }
}

function sendBy(config: NotifierConfig, timeoutMs: number): Send {
  switch (config.kind) {
    case 'webhook':
      return webhook(config)
    case 'slack':
      return slack(config)
    case 'email':
      return email(config, timeoutMs)
    case 'command':
      return command(config)
  }
}
