import { authorPlace } from './author-place.ts'
import { SakError } from './errors.ts'
import type { Task } from './task.ts'

/** What a module's own code has thrown, or what is wrong with its answer in words, as an error that names the module and the place. */
export function moduleBug(
  { module, definedAt }: Pick<Task, 'module' | 'definedAt'>,
  wrong: unknown,
  more = '',
): SakError {
  const defined = definedAt?.()
  const place = (wrong instanceof Error && authorPlace(wrong)) || defined
  return new SakError(
    'module-bug',
    `the module ${module} has a bug: ${wrong instanceof Error ? wrong.message : wrong}${more}`,
    {
      ...(wrong instanceof Error && { cause: wrong }),
      hint:
        defined === undefined
          ? 'this is not a fault of the host: please report it to the author of the module'
          : `this is not a fault of the host: look at ${place}`,
    },
  )
}
