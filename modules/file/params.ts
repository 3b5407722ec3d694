import { fileParams, readSource, SecretString, SourcePath } from 'sak-reconcile'
import { z } from 'zod'

const oneOf = 'expected one of content, source, linkTo and absent'

const Fields = z.strictObject({
  ...fileParams,
  content: z
    .union([SecretString, z.strictObject({ base64: z.base64().describe('Bytes, as base64') })])
    .optional()
    .describe('What it holds: text, or bytes as { base64 }'),
  source: SourcePath.optional().describe('A file of this machine that it is a copy of, byte for byte'),
  linkTo: z
    .string()
    .regex(/^[^\0]+$/, { error: 'expected the path that the link leads to' })
    .optional()
    .describe('Makes it a symbolic link to there'),
  absent: z.literal(true).optional().describe('There must be no such file'),
})

/** Comes out with `bytes`: what the file holds, null where there is to be none. */
export const Params = Fields.transform((params, context) => {
  const { content, source, linkTo, absent } = params
  const stated = [content, source, linkTo, absent].filter(value => value !== undefined)
  if (stated.length !== 1) {
    context.addIssue({ code: 'custom', message: oneOf })
    return z.NEVER
  }
  try {
    return { ...params, bytes: bytesOf(content, source) }
  } catch (error) {
    context.addIssue({
      code: 'custom',
      path: ['source'],
      message: error instanceof Error ? error.message : String(error),
    })
    return z.NEVER
  }
})
export type Params = z.output<typeof Params>

function bytesOf(content: z.output<typeof Fields>['content'], source: string | undefined): Uint8Array | null {
  if (source !== undefined) return readSource(source)
  if (content === undefined) return null
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64')
}
