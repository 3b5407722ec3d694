/** What is wrong with calendar events, by what `systemd-analyze calendar` said of them. */
export function calendarFault({
  code,
  stdout,
  stderr,
}: {
  code: number
  stdout: string
  stderr: string
}): string | undefined {
  if (code !== 0) return stderr.trim().split('\n')[0] ?? 'systemd does not take them'
  const events = stdout.split(/\n(?= *(?:Original form|Normalized form):)/)
  const never = events.find(event => /Next elapse: never/.test(event))
  return never && `it never comes: ${/Normalized form: (.*)/.exec(never)?.[1] ?? ''}`
}
