// Node at its network: a server on loopback, `fetch` on the main thread and on Workers that come and go,
// and work on libuv's pool, so that several threads get an arena of malloc's.
//
// Usage: node fetching.mjs SECONDS
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const deadline = Date.now() + Number(process.argv[2] ?? 8) * 1000
const compress = promisify(gzip)

const server = createServer((request, response) => response.end(Buffer.alloc(300_000, request.url)))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}/`

const source = `
  const { parentPort, workerData } = require('node:worker_threads')
  async function work() {
    let bytes = 0
    for (let n = 0; n < 5; n += 1) bytes += (await (await fetch(workerData)).arrayBuffer()).byteLength
    parentPort.postMessage(bytes)
  }
  work()
`

function worker() {
  return new Promise((resolve, reject) => {
    const made = new Worker(source, { eval: true, workerData: url })
    made.once('error', reject)
    made.once('message', (bytes) => {
      made.terminate()
      if (bytes !== 1_500_000) reject(new Error(`${bytes} bytes were fetched`))
    })
    made.once('exit', resolve)
  })
}

while (Date.now() < deadline) {
  const fetched = fetch(url).then((answer) => answer.arrayBuffer())
  await Promise.all([worker(), worker(), fetched, compress(Buffer.alloc(4 << 20, 'tracer'))])
}
server.closeAllConnections()
server.close()
