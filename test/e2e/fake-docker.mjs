#!/usr/bin/env node
/**
 * A FAKE of Docker, for hosts where no engine can run. Its containers are a file of JSON. Called as `docker` it answers what the module
 * dockerlimits asks; as `docker-compose` it is a plugin of the real command line; with `serve` it is the engine that the real command
 * line talks to, as far as that asks. It keeps to rules of the real engine that matter here (moby, UpdateContainer): 0 is unchanged,
 * memory may not exceed memory and swap together, 6M is the least.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'

const path = '/var/lib/fake-docker.json'
const read = () => JSON.parse(readFileSync(path, 'utf8'))
const machine = { NCPU: 2, MemTotal: 2021654528, CgroupVersion: '2' }
const labels = ({ service, files, directory }) => ({
  'com.docker.compose.service': service,
  'com.docker.compose.project.config_files': files,
  'com.docker.compose.project.working_dir': directory,
  'com.docker.compose.oneoff': 'False',
})

/** Answers what the engine says against it. */
function update(name, { Memory = 0, MemorySwap = 0, MemoryReservation = 0, NanoCpus = 0 }) {
  const state = read()
  const container = state.containers.find(each => each.name === name)
  if (!container) return `No such container: ${name}`
  if (state.fails === name) return `Cannot update container ${name}: it was told to fail`
  if (Memory !== 0 && Memory < 6 * 1024 ** 2) return 'Minimum memory limit allowed is 6MB'
  if (Memory > container.swap && MemorySwap === 0) {
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
  }
  if (NanoCpus > machine.NCPU * 1e9) return 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'
  container.memory = Memory || container.memory
  container.swap = MemorySwap || container.swap
  container.memoryReservation = MemoryReservation || container.memoryReservation
  container.nanoCpus = NanoCpus || container.nanoCpus
  writeFileSync(path, JSON.stringify(state))
  return undefined
}

function fail(code, message) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

function flags(args) {
  const value = flag => (args.includes(flag) ? Number(args[args.indexOf(flag) + 1]) : 0)
  return {
    Memory: value('--memory'),
    MemorySwap: value('--memory-swap'),
    MemoryReservation: value('--memory-reservation'),
    NanoCpus: value('--cpus') * 1e9,
  }
}

/** It takes any file but one that says REFUSE. */
function compose(args) {
  if (args[0] === 'version') return console.log('2.36.2')
  const files = args.filter((_, index) => args[index - 1] === '-f')
  const refused = files.find(file => readFileSync(file, 'utf8').includes('REFUSE'))
  if (refused) fail(15, `validating ${refused}: it was told to refuse`)
}

/** Of the formats it knows the two that are asked for: four limits, and all as JSON. */
function inspect(args) {
  const found = read().containers.filter(({ id, name }) => args.includes(id) || args.includes(name))
  if (found.length === 0) fail(1, `Error: No such container: ${args.at(-1)}`)
  for (const { name, ...container } of found) {
    const { memory, swap, memoryReservation, nanoCpus } = container
    if (args.some(arg => arg.startsWith('{{'))) console.log(`${memory} ${swap} ${memoryReservation} ${nanoCpus}`)
    else console.log(JSON.stringify({ ...container, name: `/${name}`, oneOff: 'False', quota: 0, period: 0 }))
  }
}

function docker([verb, ...args]) {
  if (verb === '--version') return console.log('Docker version 0.0.0, build fake')
  if (verb === 'compose') return compose(args)
  if (verb === 'info') return console.log(`${machine.NCPU} ${machine.MemTotal} ${machine.CgroupVersion}`)
  if (verb === 'ps')
    return console.log(
      read()
        .containers.map(({ id }) => id)
        .join('\n'),
    )
  if (verb === 'inspect') return inspect(args)
  const refused = verb === 'update' ? update(args.at(-1), flags(args)) : `unknown command ${verb}`
  return refused ? fail(1, `Error response from daemon: ${refused}`) : console.log(args.at(-1))
}

const inspected = ({ id, name, state, memory, swap, memoryReservation, nanoCpus, ...made }) => ({
  Id: id,
  Name: `/${name}`,
  State: { Status: state },
  Config: { Labels: labels(made) },
  HostConfig: {
    Memory: memory,
    MemorySwap: swap,
    MemoryReservation: memoryReservation,
    NanoCpus: nanoCpus,
    CpuQuota: 0,
    CpuPeriod: 0,
  },
})

function answer(url, body) {
  const [, id = '', action] = /^(?:\/v[\d.]+)?\/containers\/([^/?]+)\/(json|update)/.exec(url) ?? []
  const { containers } = read()
  if (url.endsWith('/_ping')) return { status: 200, data: 'OK' }
  if (/\/info$/.test(url)) return { status: 200, data: machine }
  if (/\/containers\/json/.test(url)) {
    return {
      status: 200,
      data: containers.map(({ id, name, ...made }) => ({
        Id: id,
        Names: [`/${name}`],
        Labels: labels(made),
        Ports: [],
      })),
    }
  }
  if (action === 'update') {
    const refused = update(id, JSON.parse(body))
    return refused ? { status: 409, data: { message: refused } } : { status: 200, data: { Warnings: [] } }
  }
  const container = containers.find(each => each.id === id || each.name === id)
  if (action === 'json' && container) return { status: 200, data: inspected(container) }
  return { status: 404, data: { message: `the fake engine does not know ${url}` } }
}

function serve(socket) {
  createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { status, data } = answer(request.url, Buffer.concat(chunks).toString())
    response.writeHead(status, { 'Api-Version': '1.43', Ostype: 'linux', 'Content-Type': 'application/json' })
    response.end(JSON.stringify(data))
  }).listen(socket)
}

const [, program = '', ...args] = process.argv
if (args[0] === 'docker-cli-plugin-metadata') {
  console.log(JSON.stringify({ SchemaVersion: '0.1.0', Vendor: 'fake', Version: '0.0.0', ShortDescription: 'fake' }))
} else if (args[0] === 'serve') serve(args[1])
else if (basename(program) === 'docker-compose') compose(args.slice(args.indexOf('compose') + 1))
else docker(args)
