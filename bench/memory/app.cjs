// The app under load: it answers as any app does, and takes memory when it is told to.
const http = require('node:http')

const kept = []
http
  .createServer((request, response) => {
    const [, target] = /^\/grow\/(\d+)$/.exec(request.url) ?? []
    while (target && process.memoryUsage.rss() < Number(target) * 1024 ** 2) kept.push(Buffer.alloc(4 * 1024 ** 2, 1))
    request.resume()
    request.on('end', () => response.end(`${process.memoryUsage.rss()}\n`))
  })
  .listen(process.env.PORT || 5000)
process.on('SIGINT', () => process.exit(0))
