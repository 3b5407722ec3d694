/**
 * Where a service has limits in both forms. Compose refuses a service that has a group of limits in `deploy`, and a key of its own for
 * which that group says another value, or none (compose-go, checkConsistency).
 */
import { blocked, type SakError } from 'sak-reconcile'
import { find, mapOf } from './document.ts'
import { type Group, limitsGroup, type Path, reservationsGroup } from './forms.ts'
import { type Layer, layersOf, type Project, placeOf, standing } from './layers.ts'
import { bytesOfSize } from './values.ts'

/** Whether any layer has the group in `deploy`. */
export function hasGroup({ documents }: Project, layers: readonly Layer[], { path }: Group): boolean {
  return layers.some(({ file, map }) => {
    const document = documents[file]
    if (!document) return false
    const found = find(document, map, path)
    return found.kind === 'entry' && found.missing.length === 0 && mapOf(document, found.entry.value) !== undefined
  })
}

/** Whether the service has a key of its own of the group. */
export function hasOwn({ documents }: Project, layers: readonly Layer[], { own }: Group): boolean {
  return own.some(({ key }) => standing(documents, layers, [key]) !== undefined)
}

/** What compose would refuse in a service. */
export function clashesIn(project: Project, service: string): readonly SakError[] {
  const layers = layersOf(project.documents, service)
  return [limitsGroup, reservationsGroup].flatMap(group => {
    if (!hasGroup(project, layers, group)) return []
    return group.own.flatMap(({ key, name }) => {
      const path: Path = [...group.path, name]
      const [own, deploy] = [standing(project.documents, layers, [key]), standing(project.documents, layers, path)]
      if (!own || own.word.text === '0' || isSame(own.word.text, deploy?.word.text)) return []
      const reason = `${placeOf(project, service, [key])}: compose refuses ${service}, which has ${key} ${own.word.text} and in ${group.path.join('.')} ${deploy ? `${name} ${deploy.word.text}` : `no ${name}`}`
      return [blocked('refused', reason, `${name}: ${own.word.text} there too, or take ${key} out`)]
    })
  })
}

/** By meaning; what comes from a variable nobody knows here. */
function isSame(own: string, deploy: string | undefined): boolean {
  if (own.includes('$') || deploy?.includes('$')) return true
  if (deploy === undefined) return false
  return own === deploy || Number(own) === Number(deploy) || bytesOfSize(own) === bytesOfSize(deploy)
}
