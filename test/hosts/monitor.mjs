// Sends commands to a QEMU monitor (the human one) and prints its answers.
// Usage: monitor.mjs SOCKET COMMAND...   A command whose answer begins with "Error" makes the exit code 1.
import net from 'node:net'

const [path, ...commands] = process.argv.slice(2)
const prompt = '(qemu) '
const socket = net.connect(path)
let received = ''
let current
let failed = false

socket.setEncoding('utf8')
socket.setTimeout(180_000, () => {
  console.error(`monitor: no answer to "${current}"`)
  process.exit(1)
})
socket.on('data', chunk => {
  received += chunk
  if (!received.endsWith(prompt)) return
  if (current !== undefined) report(received.slice(0, -prompt.length))
  received = ''
  current = commands.shift()
  if (current === undefined) socket.end()
  else socket.write(`${current}\n`)
})
// `quit` is answered by closing the connection.
socket.on('close', () => process.exit(failed ? 1 : 0))
socket.on('error', error => {
  console.error(`monitor: ${error.message}`)
  failed = true
})

function report(text) {
  // The first line is the echo of what was typed, with terminal escapes.
  const answer = text.replaceAll('\r', '').split('\n').slice(1).join('\n').trim()
  if (answer !== '') console.log(answer)
  if (/^Error/m.test(answer)) failed = true
}
