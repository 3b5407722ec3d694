/**
 * The least that work on hosts over SSH can cost: a bare ssh2 that connects to each and runs one script there. Arguments: the
 * inventory as JSON, the script, and how many hosts at once.
 */
import { readFileSync } from 'node:fs'
import ssh2 from 'ssh2'

const [inventory, script, forks] = process.argv.slice(2)
const body = readFileSync(script ?? '')
const hosts = Object.values(JSON.parse(readFileSync(inventory ?? '', 'utf8')).hosts)
const privateKey = readFileSync(hosts[0].privateKeyPath)

function work({ address, port, user }) {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('error', reject)
    client.on('close', resolve)
    client.on('ready', () => {
      client.exec('sh -s', (error, channel) => {
        if (error) return reject(error)
        channel.on('exit', code => code === 0 || reject(new Error(`exit ${code} on ${user}`)))
        channel.on('close', () => client.end())
        channel.resume().stderr.resume()
        channel.end(body)
      })
    })
    client.connect({ host: address, port, username: user, privateKey, hostVerifier: () => true })
  })
}

const worker = async () => {
  for (let host = hosts.shift(); host !== undefined; host = hosts.shift()) await work(host)
}
await Promise.all(Array.from({ length: Math.min(Number(forks), hosts.length) }, worker))
