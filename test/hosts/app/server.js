// The application of the test hosts: what a stock box runs before anybody tunes it.
const http = require('node:http')

const port = Number(process.env.PORT || 5000)

const server = http.createServer((request, response) => {
  response.end(
    `${JSON.stringify({ pid: process.pid, nodeOptions: process.env.NODE_OPTIONS || null, nodeEnv: process.env.NODE_ENV || null, url: request.url })}\n`,
  )
})
server.listen(port, () => console.log(`listening on ${port}`))

process.on('SIGINT', () => {
  console.log('SIGINT: closing')
  server.close(() => process.exit(0))
})
