import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What the compiler, as strict as it is here, says of the source of a playbook in somebody else's folder. */
export async function compiles(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sak-compiles-'))
  try {
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules/sak-reconcile'))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'playbook.ts'), code)
    const compilerOptions = { noEmit: true, rootDir: '/', typeRoots: [join(root, 'node_modules/@types')] }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['playbook.ts'], exclude: [] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    // without what tap adds to every node
    const tsc = ['-u', 'NODE_OPTIONS', process.execPath, join(root, 'node_modules/typescript/bin/tsc')]
    return await new Promise(resolve => {
      execFile('env', [...tsc, '-p', folder], (error, stdout, stderr) =>
        resolve(error ? `${error.message}\n${stdout}${stderr}` : ''),
      )
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}
