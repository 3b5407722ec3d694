import { z } from 'zod'
import { codeOf } from './code.ts'
import { isModule, type Module } from './module.ts'
import type { Playbook } from './playbook.ts'
import type { Impact } from './step.ts'

/** A param as a reader sees it, from its zod schema. */
export interface ParamReference {
  /** From the top: `sites.*.listen` is a param of each of the `sites`, `stanzas[].paths` of each in the list `stanzas`. */
  readonly path: string
  /** In words: `'report' | 'remove'`, `size`, `string[]`, `integer 0 to 32767`. */
  readonly type: string
  readonly required: boolean
  /** As one would write it; none where there is none. */
  readonly default?: unknown
  readonly description?: string
}

/** A JSON Schema (draft 2020-12). */
type JsonSchema = z.core.JSONSchema.BaseSchema

/** The JSON Schema of what one may write: defaults are those of params, not of what they become. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves out the default of what is transformed, and of what the transformation adds
      const { def } = zodSchema._zod
      if (def.type === 'default' || def.type === 'prefault') jsonSchema.default = plain(def.defaultValue)
      if (def.type !== 'pipe') return
      const { data } = z.safeParse(zodSchema, undefined)
      if (data !== undefined) jsonSchema.default = plain(data)
    },
  })
}

/** The JSON Schema of what is printed. */
export function outputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** All params of a schema, each followed by those within it. */
export function paramsReference(schema: z.ZodType): readonly ParamReference[] {
  return within(inputSchema(schema), '')
}

function within(schema: JsonSchema, path: string): ParamReference[] {
  const { properties = {}, required = [], additionalProperties, items } = schema
  const defaults = isRecord(schema.default) ? schema.default : {}
  const own = Object.entries(properties).flatMap(([name, param]) => {
    const at = path === '' ? name : `${path}.${name}`
    const whole = { ...asSchema(param), ...(name in defaults && { default: defaults[name] }) }
    return [paramOf(whole, at, required.includes(name)), ...within(whole, at)]
  })
  const each = isRecord(additionalProperties) ? within(additionalProperties, `${path}.*`) : []
  const inItems = isRecord(items) ? within(items, `${path}[]`) : []
  return [...own, ...each, ...inItems, ...branches(schema).flatMap(branch => within(branch, path))]
}

/** Of what may also be a list or `true`. */
const asSchema = (value: unknown): JsonSchema => (isRecord(value) ? value : {})
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The default of an object with params of its own is told by theirs. */
function paramOf(schema: JsonSchema, path: string, required: boolean): ParamReference {
  return {
    path,
    type: typeOf(schema),
    required,
    ...('default' in schema && !(schema.properties && isRecord(schema.default)) && { default: schema.default }),
    ...(schema.description !== undefined && { description: schema.description }),
  }
}

const branches = ({ anyOf = [], oneOf = [] }: JsonSchema) => [...anyOf, ...oneOf].map(asSchema)

function typeOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title
  if (schema.enum) return schema.enum.map(value => codeOf(value)).join(' | ')
  if (schema.const !== undefined) return codeOf(schema.const)
  const alternatives = branches(schema)
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeOf))].join(' | ')
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `${schema.type}${rangeOf(schema)}`
    case 'array':
      return listOf(typeOf(asSchema(schema.items)))
    case 'object':
      return objectType(schema)
    default:
      return [schema.type ?? 'any'].flat().join(' | ')
  }
}

const listOf = (type: string) => (type.includes(' ') ? `(${type})[]` : `${type}[]`)

function objectType({ properties, additionalProperties }: JsonSchema): string {
  if (properties || typeof additionalProperties !== 'object') return 'object'
  return `{ NAME: ${typeOf(asSchema(additionalProperties))} }`
}

/** Limits that are only those of JavaScript's numbers say nothing. */
function rangeOf({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  const hasLeast = minimum > Number.MIN_SAFE_INTEGER
  const hasMost = maximum < Number.MAX_SAFE_INTEGER
  if (hasLeast && hasMost) return ` ${minimum} to ${maximum}`
  return hasLeast ? ` ${minimum} or more` : hasMost ? ` ${maximum} or less` : ''
}

/** What a reader wants to know of a module or a playbook. */
export interface Reference {
  readonly name: string
  readonly description: string
  /** A usual use, as code. */
  readonly example?: string
  readonly params: readonly ParamReference[]
  /** What is compared, by key: what is read from the host. */
  readonly keys: readonly { readonly key: string; readonly holds: string }[]
  /** What a task of the example owns: no other task may rule it. */
  readonly owns: readonly string[]
  readonly impact?: Impact
}

/** The reference of a module or playbook. */
export function referenceOf(subject: Module | Playbook): Reference {
  return isModule(subject) ? moduleReference(subject) : playbookReference(subject)
}

function moduleReference({ moduleName, description, params, impact, example, keys, parse }: Module): Reference {
  return {
    name: moduleName,
    description,
    ...(example !== undefined && { example: `${moduleName}(${codeOf(example, 76)})` }),
    params: paramsReference(params),
    keys: Object.entries(keys).flatMap(([key, holds]) => (holds === undefined ? [] : [{ key, holds }])),
    owns: example === undefined ? [] : parse(example).owns,
    impact,
  }
}

function playbookReference({ name, description, params, hosts }: Playbook): Reference {
  return {
    name,
    description: description ?? `A playbook for the hosts "${hosts}".`,
    params: paramsReference(params),
    keys: [],
    owns: [],
  }
}
