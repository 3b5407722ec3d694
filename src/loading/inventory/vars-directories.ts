import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { SakError } from '../../core/errors.ts'
import type { Declaration } from '../../core/inventory/declarations.ts'
import { parseSource } from './source-document.ts'
import { declareVars, mappingAt } from './values.ts'

const extensions = ['', '.yml', '.yaml', '.json']

/**
 * The variables in group_vars/ and host_vars/ of a directory, for the groups and hosts named. As in Ansible: `group_vars/web`, a
 * directory (all of its files, by name) or a file, else `web.yml`, `web.yaml`, `web.json`; the first of these that is there.
 * Throws SakError 'invalid-inventory' with file:line.
 */
export async function readVarsDirectories(
  directory: string,
  { cwd, groups, hosts }: { cwd: string; groups: Iterable<string>; hosts: Iterable<string> },
): Promise<Declaration[]> {
  const declarations: Declaration[] = []
  for (const [of, names] of [['group', groups] as const, ['host', hosts] as const]) {
    const folder = join(directory, `${of}_vars`)
    const entries = new Set(await namesIn(folder))
    for (const name of names) {
      const found = extensions.map(extension => name + extension).find(entry => entries.has(entry))
      if (found === undefined) continue
      for (const path of await filesOf(join(folder, found))) {
        const file = shownPath(path, cwd)
        const { data, locate } = await parseSource(await readFile(path, 'utf8'), file)
        const vars = mappingAt(data, 'a file of variables', locate([]), 'Write "name: value" lines.')
        for (const one of declareVars({ of, name, directory }, vars, key => locate([key]))) declarations.push(one)
      }
    }
  }
  return declarations
}

/** A path as messages show it: relative when it lies below the working directory. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' || short.startsWith('..') ? path : short
}

/** The entries of a directory; none when it is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new SakError('invalid-inventory', `${folder}: cannot be read (${String(code)})`, { cause })
  }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const names = (await readdir(path)).filter(name => !name.startsWith('.') && !name.endsWith('~'))
  const files: string[] = []
  for (const name of names.sort()) {
    const entry = join(path, name)
    const extension = extname(name)
    if ((await stat(entry)).isDirectory()) {
      if (extension === '') files.push(...(await filesOf(entry)))
    } else if (extensions.includes(extension)) files.push(entry)
  }
  return files
}
