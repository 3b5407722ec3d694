import type { App } from './params.ts'

/** The cap of V8's heap that an app is started with, in MiB; the command line is stronger than NODE_OPTIONS. */
export function heapCapMiB({ node_args, env }: Pick<App, 'node_args' | 'env'>): number | undefined {
  return capOf(node_args?.join(' ') ?? '') ?? capOf(env.NODE_OPTIONS ?? '')
}

/** The last one counts; Node takes `_` for `-`. */
function capOf(options: string): number | undefined {
  const found = [...options.matchAll(/(?:^|\s)--max[-_]old[-_]space[-_]size[=\s]\s*(\d+)/g)].at(-1)?.[1]
  return found === undefined ? undefined : Number(found)
}
