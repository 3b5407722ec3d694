import type { AdviceRule } from 'sak-reconcile'
import type { Params } from './params.ts'
import { sizeText } from './values.ts'

const cpuReservationUnheeded: AdviceRule<Params> = {
  id: 'cpu-reservation-unheeded',
  source: "docker/compose, create.go: a reservation of processors is swarm's, and is passed to no container",
  check: ({ services }) => {
    const names = Object.keys(services).filter(name => services[name]?.cpuReservation !== undefined)
    if (names.length === 0) return []
    return [
      {
        message: `${names.join(', ')}: compose passes over cpuReservation, so that nothing is kept for it`,
        suggestion: 'cpus on the services that may take too much; cpu_shares in the file to share what is short',
      },
    ]
  },
}

const reservationsAboveMemory: AdviceRule<Params> = {
  id: 'reservations-above-memory',
  source:
    "the kernel's documentation of control groups 2, memory.low: what is promised beyond the memory is shared out in proportion",
  check: ({ services }, { facts }) => {
    const sum = Object.values(services).reduce(
      (bytes, { memoryReservation = 0, replicas }) => bytes + memoryReservation * replicas,
      0,
    )
    if (sum <= facts.ramMiB * 1024 ** 2) return []
    return [
      {
        message: `memory of ${sizeText(sum)} is kept for services on a host that has ${facts.ramMiB}M: under pressure none of them gets what it was promised`,
        suggestion: 'memoryReservation of what each needs at its least, less than the memory in sum',
      },
    ]
  },
}

export const advice = [cpuReservationUnheeded, reservationsAboveMemory]
