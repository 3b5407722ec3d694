import type { TestHost } from '../e2e/harness.ts'

/*
 * How a fault hits an exact place, from outside of the product: a transaction calls sync(1) each time that something must be on
 * disk before it goes on, and so at every step boundary (the journal's `at`), before and after every file's rename, and at the
 * commit. The hosts get a `sync` of ours earlier in the PATH. It notes the calls, and at the one that is wanted it stops, says so
 * and waits for the fault to be made. The script that is sent is the product's own, to the byte.
 */
const folder = '/var/lib/sak-campaign'
const root = { root: true } as const

const sync = `#!/bin/sh
cd ${folder} 2>/dev/null && [ -e on ] || exec /usr/bin/sync "$@"
read -r n <count; n=$((n + 1)); echo "$n" >count
case $1 in
  */at) read -r s <"$1"; echo "$n step $s" ;;
  */state) echo "$n commit -" ;;
  */script) echo "$n journal -" ;;
  */absent-* | */before-* | */attributes-*) echo "$n kept -" ;;
  */tmp-*) echo "$n temporary -" ;;
  */.sak-*) echo "$n written -" ;;
  */) echo "$n renamed -" ;;
  *) echo "$n other -" ;;
esac >>log 2>/dev/null
if [ "$n" = "$(cat wanted 2>/dev/null)" ]; then
  echo $PPID >reached.new; mv reached.new reached; rm -f on
  i=0; while [ ! -e go ] && [ "$i" -lt 6000 ]; do sleep 0.02; i=$((i + 1)); done
fi
exec /usr/bin/sync "$@"
`

/** A place in a transaction at which a fault can be made. */
export interface Point {
  /** Which call of sync it is, counted from 1. */
  readonly call: number
  readonly what: string
  /** The step that runs or is about to; -1 before the first. */
  readonly step: number
}

/** Shell that puts a `systemctl` that does what it always does where a shell finds it first: it keeps to the one it once found. */
export const honestSystemctl = `printf '#!/bin/sh\\nexec /usr/bin/systemctl "$@"\\n' >/usr/local/sbin/systemctl.new; chmod 755 /usr/local/sbin/systemctl.new; mv /usr/local/sbin/systemctl.new /usr/local/sbin/systemctl`

/** Lays the trap; it does nothing before it is armed. */
export async function layTrap(host: TestHost): Promise<void> {
  await host.exec(
    `mkdir -p ${folder} && chmod 777 ${folder} && cat >/usr/local/sbin/sync && chmod 755 /usr/local/sbin/sync && ${honestSystemctl}`,
    { ...root, stdin: sync },
  )
}

/** Arms it for the next transaction; without a point it only counts. */
export async function armTrap(host: TestHost, point?: Point): Promise<void> {
  // what is there so far is no part of what a power cut takes
  const settle = host.tier === 'full' ? ' && /usr/bin/sync' : ''
  const wanted = point ? `echo ${point.call} >wanted;` : ''
  await host.exec(
    `cd ${folder} && rm -f reached go wanted && ${wanted} echo 0 >count && : >log && chmod 666 count log && : >on${settle}`,
    root,
  )
}

/** Waits until the point is reached; false where the transaction ended before. */
export async function isReached(host: TestHost): Promise<boolean> {
  const wait =
    'for _ in $(seq 4000); do if [ -e reached ]; then echo yes; break; fi; [ -e on ] || break; sleep 0.02; done'
  return (await host.output(`cd ${folder} && { ${wait}; }`, root)) === 'yes'
}

/** Shell that lets the transaction go on, and one that gives the waiting up. */
export const goOn = `: >${folder}/go`
export const disarm = `rm -f ${folder}/on ${folder}/wanted`

/** The points that the counted transaction passed. */
export async function pointsPassed(host: TestHost): Promise<readonly Point[]> {
  const lines = (await host.output(`cat ${folder}/log; ${disarm}`, root)).split('\n')
  let current = -1
  return lines.flatMap(line => {
    const [call = '', what = '', step = ''] = line.split(' ')
    if (call === '') return []
    if (what === 'step') current = Number(step)
    return [{ call: Number(call), what, step: current }]
  })
}
