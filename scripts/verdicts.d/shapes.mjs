// Node at work, in the shapes that memory's course has: leaks, and what only looks like one. A mode goes on until
// somebody ends it. What an expert calls each, and why, stands in cases.py.
//
// Usage: node shapes.mjs MODE [SECONDS]     SECONDS: for how long somebody looks (8)
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const kept = []
// Two seconds before nobody looks any more.
const works = () => performance.now() < ((process.argv[3] ?? 8) - 2) * 1000

async function forever(ms, step) {
  for (let n = 0; ; n += 1) {
    await step(n)
    await pause(ms)
  }
}

function record(n) {
  return { n, text: 'request ' + n + ' '.repeat(n % 50), list: Array.from({ length: 40 }, (_, index) => n * index) }
}

async function server() {
  const made = createServer((request, response) => response.end('x'.repeat(1000)))
  await new Promise((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${made.address().port}/`
}

const modes = {
  // One a request, never ended; each has a memory of WebAssembly, as `fetch` brings it.
  async workers() {
    const source = 'globalThis.memory = new WebAssembly.Memory({ initial: 1 }); setInterval(() => {}, 1000)'
    await forever(700, () => kept.push(new Worker(source, { eval: true })))
  },
  async wasm_memories() {
    await forever(250, () => kept.push(new WebAssembly.Memory({ initial: 16 })))
  },
  async objects() {
    await forever(20, (n) => {
      for (let m = 0; m < 300; m += 1) kept.push(record(n * 300 + m))
    })
  },
  async buffers() {
    await forever(40, (n) => kept.push(Buffer.alloc(256 << 10, n)))
  },
  async wasm_memories_freed_at_exit() {
    for (; works(); await pause(250)) kept.push(new WebAssembly.Memory({ initial: 16 }))
  },
  async buffers_freed_at_exit() {
    for (let n = 0; works(); n += 1, await pause(40)) kept.push(Buffer.alloc(256 << 10, n))
  },
  async wasm_memories_until_refused() {
    try {
      for (;;) kept.push(new WebAssembly.Memory({ initial: 16 }))
    } catch (refused) {
      console.error(refused)
    }
    await modes.idle()
  },

  async idle() {
    await forever(1000, () => {})
  },
  // The main thread's memory of WebAssembly and a Worker's: two.
  async fetching() {
    const url = await server()
    await (await fetch(url)).text()
    const source = `const { workerData } = require('node:worker_threads')
      setInterval(async () => (await fetch(workerData)).text(), 200)`
    kept.push(new Worker(source, { eval: true, workerData: url }))
    await forever(200, async () => (await fetch(url)).text())
  },
  async garbage() {
    await forever(10, (n) => {
      for (let m = 0; m < 400; m += 1) kept[m] = record(n + m)
    })
  },
  async garbage_buffers() {
    await forever(20, (n) => (kept[n % 20] = Buffer.alloc(((n % 7) + 1) << 17, n)))
  },
  async full_cache() {
    const cache = new Map()
    await forever(10, (n) => {
      for (let m = 0; m < 200; m += 1) {
        cache.set(n * 200 + m, record(n * 200 + m))
        if (cache.size > 5_000) cache.delete(cache.keys().next().value)
      }
    })
  },
  async full_cache_freed_at_exit() {
    for (let n = 0; works(); n += 1, await pause(20)) kept[n % 40] = Buffer.alloc(256 << 10, n)
  },
  // Workers that come and go.
  async ended_workers() {
    await forever(300, async () => {
      const worker = new Worker('new WebAssembly.Memory({ initial: 1 })', { eval: true })
      await new Promise((resolve) => worker.once('exit', resolve))
    })
  },
}

await modes[process.argv[2]]()
