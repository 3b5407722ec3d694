/** What systemd says of a unit: its properties by name. */
export type UnitProperties = Readonly<Record<string, string>>

/** The `KEY=VALUE` lines of `systemctl show`, one record a unit, in the order in which they were asked for. */
export function parseUnits(output: string): readonly UnitProperties[] {
  return output.split('\n\n').map(unit => {
    const pairs = unit.split('\n').flatMap(line => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    })
    return Object.fromEntries(pairs)
  })
}
