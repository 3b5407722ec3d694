/** The least that a check over SSH can cost: a bare ssh2 that connects to each host and runs one script that reads the same files. */
import { readFileSync } from 'node:fs'
import ssh2 from 'ssh2'

const [port, keyPath, user, count, forks, ...files] = process.argv.slice(2)
const privateKey = readFileSync(keyPath ?? '')
const script = `main() { stat -c '%a %U %G' ${files.join(' ')}; cat ${files.join(' ')}; }\nmain\n`

function check() {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('error', reject)
    client.on('close', resolve)
    client.on('ready', () => {
      client.exec('sh -s', (error, channel) => {
        if (error) return reject(error)
        channel.on('close', () => client.end())
        channel.resume().stderr.resume()
        channel.end(script)
      })
    })
    client.connect({ host: '127.0.0.1', port: Number(port), username: user, privateKey, hostVerifier: () => true })
  })
}

let left = Number(count)
const worker = async () => {
  while (left > 0) {
    left -= 1
    await check()
  }
}
await Promise.all(Array.from({ length: Math.min(Number(forks), Number(count)) }, worker))
