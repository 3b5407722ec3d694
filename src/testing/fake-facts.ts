import { factsOf, type HostFacts, type KnownFacts } from '../core/facts.ts'

/** Facts of a host that tells no more than these: `fakeFacts({ ramMiB: 1928, cores: 2, 'os.id': 'debian' })`. */
export function fakeFacts(known: KnownFacts): HostFacts {
  return factsOf(known)
}
