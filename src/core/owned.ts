/**
 * For `owns`: a part of a file that others may rule other parts of, such as a line. It clashes with the same part and with a
 * task that rules the whole file.
 */
export function partOf(path: string, part: string): string {
  return `${path}\0${part}`
}

/** A thing that is owned, in words. */
export function describeOwned(thing: string): string {
  const [whole = '', part] = thing.split('\0')
  return part === undefined ? whole : `${part} of ${whole}`
}
