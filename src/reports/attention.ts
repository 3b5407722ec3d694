import { type HostReport, HostStatus } from '../core/report.ts'

/** From what needs most attention to what needs none. */
export const attentionOrder: readonly HostStatus[] = [...HostStatus.options].sort((a, b) => attention(b) - attention(a))

/** An unreachable host comes before a blocked one, and after one that failed half-way. */
function attention(status: HostStatus): number {
  const { options } = HostStatus
  return status === 'unreachable' ? options.indexOf('failed') - 0.5 : options.indexOf(status)
}

/** The hosts that need most attention first. */
export const byAttention = (hosts: readonly HostReport[]): readonly HostReport[] =>
  [...hosts].sort((a, b) => attentionOrder.indexOf(a.status) - attentionOrder.indexOf(b.status))

/** Whether something went wrong with a host, or could not be judged. */
export const isTroubled = (host: HostReport): boolean => attention(host.status) >= attention('interrupted')
