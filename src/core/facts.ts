import { SakError } from './errors.ts'

/**
 * What a host is, as far as a plan depends on it. Read with the first trip. No fact is ever guessed: using one that the host does not
 * tell throws SakError `unsupported`, which makes the task `blocked`.
 */
export interface HostFacts {
  /** All memory that the kernel has to give (MemTotal), in MiB: about 1930 on a box sold with 2 GB. */
  readonly ramMiB: number
  readonly cores: number
  /** The kernel's name for the processor: `x86_64`, `aarch64`. */
  readonly arch: string
  /** The size of the file system of `/`, in MiB. */
  readonly rootDiskMiB: number
  /** From /etc/os-release. */
  readonly os: {
    /** `debian`, `ubuntu`. */
    readonly id: string
    /** `12`, `24.04`. */
    readonly version: string
    /** `bookworm`, `noble`. */
    readonly codename: string
    /** What it descends from: `['debian']` for Ubuntu, none for Debian. */
    readonly like: readonly string[]
  }
  /** What the firmware says: `Amazon EC2` and `t3.small`. */
  readonly machine: { readonly vendor: string; readonly product: string }
}

/** Facts by their path, and undefined for those that a host does not tell. */
export interface KnownFacts {
  readonly ramMiB?: number | undefined
  readonly cores?: number | undefined
  readonly arch?: string | undefined
  readonly rootDiskMiB?: number | undefined
  readonly 'os.id'?: string | undefined
  readonly 'os.version'?: string | undefined
  readonly 'os.codename'?: string | undefined
  readonly 'os.like'?: readonly string[] | undefined
  readonly 'machine.vendor'?: string | undefined
  readonly 'machine.product'?: string | undefined
}

/** Where each fact is read. */
const sources: Readonly<Record<keyof KnownFacts, string>> = {
  ramMiB: 'MemTotal in /proc/meminfo',
  cores: '/proc/cpuinfo',
  arch: 'uname -m',
  rootDiskMiB: 'df /',
  'os.id': 'ID in /etc/os-release',
  'os.version': 'VERSION_ID in /etc/os-release',
  'os.codename': 'VERSION_CODENAME in /etc/os-release',
  'os.like': '/etc/os-release',
  'machine.vendor': '/sys/class/dmi/id/sys_vendor',
  'machine.product': '/sys/class/dmi/id/product_name',
}

/** Facts to be used by their names. `onUse` is told of each that is. */
export function factsOf(known: KnownFacts, onUse: (name: string, value: unknown) => void = () => {}): HostFacts {
  const fact = <Name extends keyof KnownFacts>(name: Name): NonNullable<KnownFacts[Name]> => {
    const value = known[name]
    if (value === undefined || value === null) throw unknownFact(name)
    onUse(name, value)
    return value
  }
  return {
    get ramMiB() {
      return fact('ramMiB')
    },
    get cores() {
      return fact('cores')
    },
    get arch() {
      return fact('arch')
    },
    get rootDiskMiB() {
      return fact('rootDiskMiB')
    },
    os: {
      get id() {
        return fact('os.id')
      },
      get version() {
        return fact('os.version')
      },
      get codename() {
        return fact('os.codename')
      },
      get like() {
        return fact('os.like')
      },
    },
    machine: {
      get vendor() {
        return fact('machine.vendor')
      },
      get product() {
        return fact('machine.product')
      },
    },
  }
}

function unknownFact(name: keyof KnownFacts): SakError {
  return new SakError('unsupported', `the host does not tell its ${name} (${sources[name]})`, {
    hint: 'it is not guessed: decide by another fact, or by a variable of the host',
  })
}
