/** What a host is, as far as a plan depends on it. */
export interface HostFacts {
  /** All memory that the kernel has to give (MemTotal), in MiB: about 1930 on a box sold with 2 GB. */
  readonly ramMiB: number
  readonly cores: number
}
