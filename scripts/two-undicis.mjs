// Two copies of undici in one process, and so two compilations of the HTTP parser llhttp to
// WebAssembly, each with a memory of its own: Node's built-in copy, by the global fetch, and the
// npm package's. Everything happens on loopback.
//
// Usage: node two-undicis.mjs [SECONDS]   in a directory whose node_modules has undici.
// After its requests it idles so many seconds (15), prints its own size as one line of JSON on
// stdout, and exits.
import { readFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const seconds = Number(process.argv[2] ?? 15)

// The server parses with the llhttp that is compiled into node: no WebAssembly of its own.
const server = createServer((_, response) => response.end('pong'))
await new Promise((resolve, reject) => {
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
})
const url = `http://127.0.0.1:${server.address().port}/`

// The order matters. Both copies look for the global dispatcher under the same symbol, and the
// first to arrive sets it: were the package imported first, its parser would serve fetch as well,
// and there would be one memory.
const first = await (await fetch(url)).text()

// The package is looked for from the working directory: this file need not lie beside it.
const installed = createRequire(pathToFileURL(`${process.cwd()}/`)).resolve('undici')
const { Agent, request } = await import(pathToFileURL(installed))
// A new Agent, for the global one is by now the built-in copy's.
const agent = new Agent()
const second = await (await request(url, { dispatcher: agent })).body.text()
if (first !== 'pong' || second !== 'pong') throw new Error(`answers: ${first}, ${second}`)

await agent.close()
server.closeAllConnections()
server.close()
await sleep(seconds * 1000)

const size = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
writeSync(1, `${JSON.stringify({ pid: process.pid, vm_size_bytes: Number(size[1]) * 1024 })}\n`)
// Not by running out of things to do: then node takes its isolate apart first, and the memories
// would be unmapped after all, in the last millisecond.
process.exit(0)
