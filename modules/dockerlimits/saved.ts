/** Decides how the files of a project have to be. Loads the YAML parser: import it late. */
import { blocked, type FileRead, type FileState, isClosed, type SakError } from 'sak-reconcile'
import { parseCompose } from './document.ts'
import { layersOf, type Project, standing } from './layers.ts'
import { objectionsTo, unjudged } from './objections.ts'
import type { Params } from './params.ts'
import { ruleAll } from './ruling.ts'
import { bytesOfSize } from './values.ts'

export interface Decision {
  /** The files as they should be, in the order of those that are there. */
  readonly files: readonly FileState[]
  readonly blocked: readonly SakError[]
  /** Memory and swap together in bytes, by service, where the files say it; -1 is no limit. */
  readonly swap: Readonly<Record<string, number>>
}

/** The files with our values in them, and why some cannot be set. */
export function decide(files: readonly FileRead[], params: Params): Decision {
  const parsed = files.map(file => ({ path: file.path, document: parse(file) }))
  const faults = parsed.flatMap(({ path, document }) => ('fault' in document ? [notCompose(path, document.fault)] : []))
  const documents = parsed.flatMap(({ document }) => ('fault' in document ? [] : [document]))
  if (faults.length > 0) return { files, blocked: faults, swap: {} }
  const project = { paths: files.map(({ path }) => path), documents, asRead: documents }
  const reasons = unjudged(project, params)
  if (reasons.length > 0) return { files, blocked: reasons, swap: {} }
  const ruling = ruleAll(project, params)
  return {
    files: files.map((file, index) => withText(file, ruling.documents[index]?.text ?? null, params)),
    blocked: [...objectionsTo(project, params), ...ruling.blocked],
    swap: Object.fromEntries(Object.keys(params.services).flatMap(service => swapOf(project, service))),
  }
}

function parse({ content, binary }: FileRead): ReturnType<typeof parseCompose> {
  return binary ? { fault: 'it is not UTF-8' } : parseCompose(content ?? '')
}

function notCompose(path: string, fault: string): SakError {
  return blocked(
    'refused',
    `${path} cannot be read as YAML: ${fault}`,
    '`docker compose config` says what it makes of it',
  )
}

function withText(file: FileRead, content: string | null, { diff }: Params): FileState {
  const desired: FileState = { kind: 'file', path: file.path, content }
  return { ...desired, ...(isClosed(file, desired, diff) && { hidden: true }) }
}

function swapOf({ documents }: Project, service: string): [string, number][] {
  const text = standing(documents, layersOf(documents, service), ['memswap_limit'])?.word.text ?? ''
  const bytes = text === '-1' ? -1 : bytesOfSize(text)
  return bytes === undefined || bytes === 0 ? [] : [[service, bytes]]
}
