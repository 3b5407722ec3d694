import { access, constants, open, readFile, stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { isSakError, SakError } from '../core/errors.ts'
import type { Declaration } from '../core/inventory/declarations.ts'
import { buildGraph } from '../core/inventory/graph.ts'
import { parseHostWord } from '../core/inventory/host-range.ts'
import { readInventoryInput } from '../core/inventory/schema.ts'
import { type Inventory, inventoryOf, isInventory } from '../core/inventory.ts'
import { parseAnsibleIni } from './inventory/ansible-ini.ts'
import { parseAnsibleYaml } from './inventory/ansible-yaml.ts'
import { type ProgramLimits, runInventoryProgram } from './inventory/program.ts'
import { parseSource } from './inventory/source-document.ts'
import { isMapping } from './inventory/values.ts'
import { readVarsDirectories, shownPath } from './inventory/vars-directories.ts'
import { loaderFor } from './source.ts'

export type { ProgramLimits } from './inventory/program.ts'

interface Source {
  /** The path as messages show it. */
  readonly name: string
  readonly path: string
  readonly cwd: string
}

const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']
const yamlExtensions = ['.yml', '.yaml']

/**
 * Loads inventories and merges them, the later over the earlier. Each source is one of
 * - `web1,web2:2222` (a comma, and no such file): a list of hosts,
 * - an executable file that prints Ansible's dynamic JSON,
 * - `.ts`, `.js` and their kin: the default export, from `defineInventory` or of its input's shape,
 * - `.json`, `.yaml`, `.yml`: our own form (`hosts`, `groups` at the top) or Ansible's,
 * - any other file: Ansible's INI, or Ansible's YAML when it begins as one.
 * Variables in group_vars/ and host_vars/ beside a file count too, as in Ansible. Relative paths are taken from `cwd`.
 * Throws SakError 'invalid-inventory', which says what is wrong at which file:line.
 */
export async function loadInventory(
  sources: readonly string[],
  cwd: string,
  limits: ProgramLimits = {},
): Promise<Inventory> {
  const declarations: Declaration[] = []
  const directories = new Set<string>()
  const files: string[] = []
  for (const text of sources) {
    const source = { name: shownPath(resolve(cwd, text), cwd), path: resolve(cwd, text), cwd }
    const kind = await kindOf(source, text)
    if (kind !== 'hosts') {
      directories.add(dirname(source.path))
      files.push(source.name)
    }
    for (const one of kind === 'hosts' ? readHostList(text) : await read(source, kind, limits)) declarations.push(one)
  }
  const { hosts, groups } = buildGraph(declarations)
  const names = { cwd, groups: [...groups.keys()], hosts: [...hosts.keys()] }
  for (const directory of directories) {
    for (const one of await readVarsDirectories(directory, names)) declarations.push(one)
  }
  return inventoryOf(declarations, files)
}

type Kind = 'hosts' | 'program' | 'module' | 'document' | 'text'

async function kindOf({ name, path }: Source, text: string): Promise<Kind> {
  const found = await stat(path).catch(() => undefined)
  if (!found) {
    if (text.includes(',')) return 'hosts'
    throw new SakError('invalid-inventory', `${name}: there is no such inventory file`, {
      hint: `Check the path; for a list of hosts end it with a comma: ${text},`,
    })
  }
  if (found.isDirectory()) {
    throw new SakError('invalid-inventory', `${name}: is a directory`, {
      hint: 'Name the inventory file in it; give --inventory once for each of several.',
    })
  }
  if (await isProgram(path)) return 'program'
  const extension = extname(path)
  if (moduleExtensions.includes(extension)) return 'module'
  return extension === '.json' || yamlExtensions.includes(extension) ? 'document' : 'text'
}

/** What scripts and binaries begin with. A file that is only marked executable, as some file systems mark all, is data. */
const programMarks = ['#!', '\x7fE', '\xcf\xfa', '\xca\xfe']

async function isProgram(path: string): Promise<boolean> {
  const isExecutable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  return isExecutable && programMarks.includes(await firstBytes(path))
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function readHostList(text: string): Declaration[] {
  const at = '--inventory'
  return text.split(',').flatMap(part => {
    const { names, port } = part.trim() === '' ? { names: [] } : parseHostWord(part.trim(), at)
    return names.map((host): Declaration => ({ kind: 'host', host, port, at }))
  })
}

async function read(source: Source, kind: Exclude<Kind, 'hosts'>, limits: ProgramLimits): Promise<Declaration[]> {
  const { name, path, cwd } = source
  if (kind === 'program') return runInventoryProgram(path, { name, cwd, ...limits })
  if (kind === 'module') return readModule(source)
  const text = await readText(source)
  if (text.startsWith('#!')) {
    throw new SakError('invalid-inventory', `${name}: begins with #! but is not executable`, {
      hint: `chmod +x ${name}`,
    })
  }
  if (kind === 'text' && !beginsAsYaml(text, path)) return parseAnsibleIni(text, name)
  const document = await parseSource(text, name)
  if (document.data === null) throw new SakError('invalid-inventory', `${name}: is empty`)
  const isOurs =
    isMapping(document.data) && ['hosts', 'groups'].some(key => isMapping(document.data) && key in document.data)
  return isOurs ? readInventoryInput(document.data, document.locate) : parseAnsibleYaml(document)
}

async function readText({ name, path }: Source): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (cause) {
    const why = cause instanceof TypeError ? 'is not UTF-8 text' : 'cannot be read'
    throw new SakError('invalid-inventory', `${name}: ${why}`, { cause })
  }
}

/** Whether a file without an extension that tells begins with `---`, `{` or a line like `all:`. */
function beginsAsYaml(text: string, path: string): boolean {
  const first = text.split('\n').find(line => !/^\s*(?:[#;].*)?$/.test(line)) ?? ''
  return extname(path) !== '.ini' && /^(?:---(?:\s|$)|\{|[^\s[=]+:\s*(?:#.*)?$)/.test(first)
}

async function readModule({ name, path }: Source): Promise<Declaration[]> {
  const loader = await loaderFor(dirname(path))
  const exported = await loader.import(path, { default: true }).catch((cause: unknown) => {
    if (isSakError(cause)) throw new SakError(cause.code, `${name}: ${cause.message}`, { ...hintOf(cause), cause })
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SakError('invalid-inventory', `${name}: cannot be loaded: ${why}`, { cause })
  })
  if (isInventory(exported)) return [...exported.graph.declarations]
  return readInventoryInput(exported, path => (path.length === 0 ? name : `${name}: ${path.map(String).join('.')}`))
}

function hintOf({ hint }: SakError): { hint?: string } {
  return hint === undefined ? {} : { hint }
}
