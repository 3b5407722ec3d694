/** Sets the values of a task in the files of a project. */
import { blocked, type SakError } from 'sak-reconcile'
import { clashesIn, hasGroup, hasOwn } from './clashes.ts'
import { type ComposeDocument, parseCompose, serviceOf, wordAt } from './document.ts'
import { withWord } from './edit.ts'
import { formsOf, groupOf, type Path, pathsOf, type Ruled, ruledOf } from './forms.ts'
import { type Layer, layersOf, type Project, placeOf, type Standing, standing } from './layers.ts'
import type { Params } from './params.ts'
import { sameElse } from './proof.ts'
import { meaningOf, textOf } from './values.ts'

interface Ruling {
  readonly documents: readonly ComposeDocument[]
  readonly blocked: readonly SakError[]
}

/** All values set, one after the other, and why some are not. */
export function ruleAll(project: Project, params: Params): Ruling {
  const all = ruledOf(params)
  const reasons: SakError[] = []
  const done: Ruled[] = []
  let { documents } = project
  for (const ruled of all) {
    const ruling = rule({ ...project, documents }, ruled, { all, removing: params.overrides === 'remove' })
    documents = ruling.documents
    if (ruling.blocked.length > 0) reasons.push(...ruling.blocked)
    else done.push(ruled)
  }
  // what several services share, one of them may have set anew
  const undone = done.filter(ruled => !isAsRuled(documents, ruled))
  reasons.push(...undone.map(ruled => contested(project, ruled)))
  // what stands in the way already may be the very reason
  const clashes = reasons.length > 0 ? [] : servicesOf(all).flatMap(name => clashesIn({ ...project, documents }, name))
  return { documents, blocked: [...reasons, ...clashes] }
}

const servicesOf = (all: readonly Ruled[]) => [...new Set(all.map(({ service }) => service))]

interface Standard {
  readonly all: readonly Ruled[]
  readonly removing: boolean
}

/** Sets a value wherever the files have it, or where they have it nowhere, in the first that has the service. */
function rule(project: Project, ruled: Ruled, { all, removing }: Standard): Ruling {
  const layers = layersOf(project.documents, ruled.service)
  const main = layers.find(({ base }) => base === undefined)
  if (!main) return { documents: project.documents, blocked: [] }
  const found = pathsOf(ruled.name).flatMap(path => {
    const stands = standing(project.documents, layers, path)
    return stands ? [{ path, ...stands }] : []
  })
  if (found.length === 0) return add(project, main, ruled, all)
  const reasons: SakError[] = []
  let { documents } = project
  for (const { path, layer, word } of found) {
    if (meaningOf(ruled.name, word.text) === ruled.value) continue
    const theirs = removing ? undefined : overrideBy(project, main, ruled, { path, layer, word })
    const edited = theirs ? undefined : edit(documents, Math.max(layer.file, main.file), path, ruled, all)
    if (edited) documents = edited
    else reasons.push(theirs ?? shared(project, ruled, path))
  }
  return reasons.length > 0 ? { documents, blocked: reasons } : complete({ ...project, documents }, main, ruled, all)
}

/** Says a value in `deploy` too, where the service has it as a key of its own and other limits there: compose wants that. */
function complete(project: Project, main: Layer, ruled: Ruled, all: readonly Ruled[]): Ruling {
  const { documents } = project
  const layers = layersOf(documents, ruled.service)
  const { deploy } = formsOf[ruled.name]
  const isWhole = standing(documents, layers, deploy) || !hasGroup(project, layers, groupOf(ruled.name))
  return isWhole ? { documents, blocked: [] } : addAs([deploy], project, main, ruled, all)
}

/** In the form that the service has its other limits in; else in `deploy`, unless that is shared with others. */
function add(project: Project, main: Layer, ruled: Ruled, all: readonly Ruled[]): Ruling {
  const layers = layersOf(project.documents, ruled.service)
  const { deploy, own } = formsOf[ruled.name]
  const group = groupOf(ruled.name)
  if (!own || hasGroup(project, layers, group)) return addAs([deploy], project, main, ruled, all)
  return addAs(hasOwn(project, layers, group) ? [own] : [deploy, own], project, main, ruled, all)
}

function addAs(
  choice: readonly Path[],
  project: Project,
  { file }: Layer,
  ruled: Ruled,
  all: readonly Ruled[],
): Ruling {
  const { documents } = project
  for (const path of choice) {
    const edited = edit(documents, file, path, ruled, all)
    if (edited) return { documents: edited, blocked: [] }
  }
  const reason = `${placeOf(project, ruled.service, formsOf[ruled.name].deploy)}: ${ruled.name} of ${ruled.service} cannot be added without changing something else`
  const hint = `write it there by hand, as ${choice[0]?.join('.')}`
  return { documents, blocked: [blocked('unsupported', reason, hint)] }
}

/** The files with a value set in one of them; nothing where that would change anything else. */
function edit(
  documents: readonly ComposeDocument[],
  file: number,
  path: Path,
  { service, name, value }: Ruled,
  all: readonly Ruled[],
): readonly ComposeDocument[] | undefined {
  const before = documents[file]
  const map = before && serviceOf(before, service)
  const isNumber = name === 'cpus' || name === 'cpuReservation'
  // schemas before 2023 want a number of processors to be text in deploy
  const quotes = isNumber && path.length > 1 ? "'" : ''
  const text = map && withWord(before, map, path, { text: textOf(name, value), quotes })
  const after = text === undefined ? undefined : parseCompose(text)
  if (!before || !after || 'fault' in after || !sameElse(before, after, all)) return undefined
  const edited = serviceOf(after, service)
  const word = edited && wordAt(after, edited, path)
  if (!word || meaningOf(name, word.text) !== value) return undefined
  return documents.map((document, index) => (index === file ? after : document))
}

/** Why a value is not ours to set: a later file has the last word, or it comes from a variable. */
function overrideBy(
  project: Project,
  main: Layer,
  { service, name, value }: Ruled,
  { path, layer, word }: Standing & { readonly path: Path },
): SakError | undefined {
  const place = placeOf(project, service, path)
  const remove = "overrides: 'remove' writes ours in its place"
  if (word.text.includes('$')) {
    const reason = `${place}: ${name} of ${service} comes from a variable, ${word.text}`
    return blocked('override', reason, `set the variable to ${textOf(name, value)}; or ${remove}`)
  }
  if (layer.file <= main.file) return undefined
  return blocked(
    'override',
    `${place}: ${name} of ${service} is ${word.text}, and a later file has the last word`,
    remove,
  )
}

function shared(project: Project, { service, name }: Ruled, path: Path): SakError {
  const reason = `${placeOf(project, service, path)}: ${name} of ${service} cannot be set without changing something else, such as a service that shares it`
  return blocked('unsupported', reason, `write the limits of ${service} out, without an anchor or a merge`)
}

function contested({ paths }: Project, { service, name }: Ruled): SakError {
  const reason = `${paths.join(', ')}: ${name} of ${service} is shared with a service that is to have another`
  return blocked('unsupported', reason, `write the limits of ${service} out, without an anchor or a merge`)
}

function isAsRuled(documents: readonly ComposeDocument[], { service, name, value }: Ruled): boolean {
  const layers = layersOf(documents, service)
  const words = pathsOf(name).flatMap(path => standing(documents, layers, path)?.word ?? [])
  return words.length > 0 && words.every(({ text }) => meaningOf(name, text) === value)
}
