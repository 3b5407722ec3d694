import { fileParams, readSource, SecretString, SourcePath } from 'sak-reconcile'
import { z } from 'zod'
import { render } from './render.ts'

const Fields = z.strictObject({
  ...fileParams,
  source: SourcePath.optional().describe('The template: a file of this machine'),
  template: z.string().optional().describe('The template itself, instead of a source'),
  vars: z
    .record(
      z.string().regex(/^[A-Za-z_$][\w$]*$/, { error: 'expected a name such as "port"' }),
      z.union([SecretString, z.json()], {
        error: 'expected texts, numbers, booleans, null, and lists and objects of them',
      }),
    )
    .default({})
    .describe('What the template may use, by name'),
})

/** Comes out with `rendered`: a mistake in the template is a mistake in the params. */
export const Params = Fields.transform((params, context) => {
  const { source, template, vars } = params
  const key = source === undefined ? 'template' : 'source'
  const fail = (message: string, path: string[] = []) => {
    context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  if ((source === undefined) === (template === undefined)) return fail('expected one of source and template')
  try {
    const text = source === undefined ? (template ?? '') : new TextDecoder().decode(readSource(source))
    return { ...params, rendered: render(text, vars, source) }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), [key])
  }
})
