/** What in the files of a project stands in the way of limits, whatever their values. */
import { blocked, type SakError } from 'sak-reconcile'
import { lineAt, servicesOf, tagOnTheWay, type Word } from './document.ts'
import { pathsOf, type Ruled, ruledOf } from './forms.ts'
import { extendsOf, type Layer, layersOf, type Project, placeOf, standing } from './layers.ts'
import type { Limits, Params } from './params.ts'
import { bytesOfSize, sizeText } from './values.ts'

/** Why it cannot be said what the files set. */
export function unjudged(project: Project, params: Params): readonly SakError[] {
  const missing = missingServices(project, params)
  if (missing.length > 0) return missing
  return Object.keys(params.services).flatMap(service => {
    const layers = layersOf(project.documents, service)
    return [...ofBases(project, service, layers), ...ofTags(project, service, layers, ruledOf(params))]
  })
}

/** Services that no file has. */
function missingServices({ paths, documents }: Project, { services }: Params): readonly SakError[] {
  const there = [
    ...new Set(documents.flatMap(document => servicesOf(document)?.items.map(({ key }) => String(key)) ?? [])),
  ]
  const missing = Object.keys(services).filter(service => layersOf(documents, service).length === 0)
  const hint = there.length > 0 ? `there are: ${there.join(', ')}` : 'there are no services in it'
  return missing.map(service => blocked('refused', `there is no service ${service} in ${paths.join(', ')}`, hint))
}

/** What is beside the limits in the files and does not go with them. */
export function objectionsTo(project: Project, params: Params): readonly SakError[] {
  return Object.entries(params.services).flatMap(([service, limits]) => {
    const layers = layersOf(project.documents, service)
    return [
      ...ofProcessors(project, service, layers, limits),
      ...ofSwap(project, service, layers, limits),
      ...ofReplicas(project, service, layers, limits),
    ]
  })
}

/** What a service extends in another file may set limits too. */
function ofBases(project: Project, service: string, layers: readonly Layer[]): SakError[] {
  return layers.flatMap(({ file, map }) => {
    const document = project.documents[file]
    const { elsewhere } = (document && extendsOf(document, map)) ?? {}
    if (elsewhere === undefined) return []
    const reason = `${project.paths[file]}: ${service} extends a service of ${elsewhere}, which is not looked at`
    return [blocked('unsupported', reason, `write ${service} out in this file, or extend a service of this file`)]
  })
}

function ofTags(project: Project, service: string, layers: readonly Layer[], ruled: readonly Ruled[]): SakError[] {
  const paths = ruled.filter(each => each.service === service).flatMap(({ name }) => pathsOf(name))
  return layers.flatMap(({ file, map }) => {
    const document = project.documents[file]
    const [tag] = document ? paths.flatMap(path => tagOnTheWay(document, map, path) ?? []) : []
    if (!tag) return []
    const reason = `${placeOfTag(project, file, tag)}: ${tag.text} changes how files are merged, which is not followed`
    return [blocked('unsupported', reason, `set the limits of ${service} in one file only`)]
  })
}

/** The engine takes a number of processors or a quota (moby: "Nano CPUs and CPU Period cannot both be set"). */
function ofProcessors(project: Project, service: string, layers: readonly Layer[], { cpus }: Limits): SakError[] {
  if (cpus === undefined) return []
  return ['cpu_quota', 'cpu_period'].flatMap(key => {
    const found = standing(project.documents, layers, [key])
    if (!found) return []
    const reason = `${placeOf(project, service, [key])}: ${service} has ${key}, beside which the engine takes no cpus`
    return [blocked('refused', reason, `take ${key} out: cpus says the same in processors`)]
  })
}

function ofSwap(project: Project, service: string, layers: readonly Layer[], { memory }: Limits): SakError[] {
  const found = standing(project.documents, layers, ['memswap_limit'])
  const bytes = bytesOfSize(found?.word.text ?? '')
  if (!found || memory === undefined || bytes === undefined || bytes === 0 || bytes >= memory) return []
  const reason = `${placeOf(project, service, ['memswap_limit'])}: memswap_limit of ${service} counts memory and swap together, and is below its memory of ${sizeText(memory)}`
  return [blocked('refused', reason, 'raise it, or take it out: without it there is as much swap as memory')]
}

/** The budget counts as many containers as the task says. */
function ofReplicas(project: Project, service: string, layers: readonly Layer[], { replicas }: Limits): SakError[] {
  return [['deploy', 'replicas'] as const, ['scale'] as const].flatMap(path => {
    const found = standing(project.documents, layers, path)
    if (!found || !/^\d+$/.test(found.word.text) || Number(found.word.text) === replicas) return []
    const place = placeOf(project, service, path)
    const reason = `${place}: there are to be ${found.word.text} containers of ${service}, and the budget of memory counts ${replicas}`
    return [blocked('refused', reason, `replicas: ${found.word.text} in the limits of ${service}`)]
  })
}

const placeOfTag = ({ paths, documents }: Project, file: number, { offset }: Word) =>
  `${paths[file]}:${lineAt(documents[file]?.text ?? '', offset)}`
