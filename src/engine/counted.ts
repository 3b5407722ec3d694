import type { Connection } from '../core/connection.ts'
import { traced } from '../core/trace.ts'

/** A connection whose trips are counted: each script that it runs or holds is one. */
export interface CountedConnection extends Connection {
  readonly trips: () => number
}

/** `host` is the host's name, for the trace. */
export function countTrips(connection: Connection, host: string): CountedConnection {
  let trips = 0
  return {
    run: (script, options) => {
      trips += 1
      return traced(`trip ${trips}`, host, async details => {
        details.bytesOut = script.length
        const result = await connection.run(script, options)
        details.bytesIn = result.stdout.length + result.stderr.length
        return result
      })
    },
    hold: (script, options) => {
      trips += 1
      return traced(`trip ${trips}`, host, () => connection.hold(script, options))
    },
    close: () => connection.close(),
    trips: () => trips,
  }
}
