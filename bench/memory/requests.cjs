// Connections that each have a request half sent, so that nginx keeps a buffer for its head and one for its body.
const net = require('node:net')

const head = 'POST / HTTP/1.1\r\nHost: load.test\r\nContent-Length: 16000\r\n\r\n'
const open = () => {
  const socket = net.connect(80, '127.0.0.1', () => socket.write(head + 'x'.repeat(15000)))
  socket.on('error', () => {})
  // nginx gives a body up after a minute
  socket.on('close', () => setTimeout(open, 200))
}
for (let at = 0; at < Number(process.argv[2]); at++) setTimeout(open, at * 5)
