/** The package as a user gets it: built, packed, and installed into directories with an empty home. */
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { z } from 'zod'

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function run(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  const [program = '', ...args] = argv
  return new Promise(resolve => {
    // tap adds itself to every node through NODE_OPTIONS
    const clean = ['-u', 'NODE_OPTIONS', program, ...args]
    const child = execFile('env', clean, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr })
    })
    child.stdin?.end()
  })
}

const Archive = z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })
// a list from npm 11, an object by name from npm 12
const Packed = z.union([z.array(Archive), z.record(z.string(), Archive).transform(packed => Object.values(packed))])

export interface Package {
  /** The packed file. */
  readonly archive: string
  /** What is in it. */
  readonly paths: readonly string[]
  /** A directory for projects; goes when the test ends. */
  readonly folder: string
  readonly home: string
  /** An environment with that empty home. */
  readonly env: NodeJS.ProcessEnv
}

/** Builds and packs the package. */
export async function pack(t: Test): Promise<Package> {
  const folder = mkdtempSync(join(tmpdir(), 'sak-package-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const home = join(folder, 'home')
  await mkdir(home)
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: home }
  env.npm_config_audit = 'false'
  env.npm_config_fund = 'false'
  // an empty home has no configuration of npm: where packages come from, and whose word is taken for it, is no part of what is tested
  const { NODE_EXTRA_CA_CERTS: authorities } = process.env
  if (authorities !== undefined) env.NODE_EXTRA_CA_CERTS = authorities
  for (const name of ['registry', 'cache']) {
    env[`npm_config_${name}`] = (await run(['npm', 'config', 'get', name], root, process.env)).stdout.trim()
  }
  const built = await run(['npm', 'run', 'build'], root, process.env)
  if (built.code !== 0) throw new Error(built.stdout + built.stderr)
  const made = await run(['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder], root, process.env)
  if (made.code !== 0) throw new Error(made.stderr)
  const [archive] = Packed.parse(JSON.parse(made.stdout))
  if (!archive) throw new Error('npm pack made nothing')
  return { archive: join(folder, archive.filename), paths: archive.files.map(file => file.path), folder, home, env }
}
