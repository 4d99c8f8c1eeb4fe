// Node at work with its memory: Workers that come and go, each with a heap, a WebAssembly memory that
// grows, and large buffers; child processes; a compression pool.
//
// Usage: node workers.mjs SECONDS
import { spawn } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'

const deadline = Date.now() + Number(process.argv[2] ?? 8) * 1000

const source = `
  const { parentPort, workerData } = require('node:worker_threads')
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024 })
  const shared = new SharedArrayBuffer(4 << 20)
  let held = []
  for (let round = 0; round < 40; round += 1) {
    memory.grow(3)
    new Uint8Array(memory.buffer).fill(round, memory.buffer.byteLength - 65536)
    held.push(Buffer.alloc(((round * 37 + workerData) % 60 + 1) * 16384, round))
    if (held.length > 12) held = held.slice(6)
    const words = new Map()
    for (let n = 0; n < 4000; n += 1) words.set('word' + n, { n, text: String(n).repeat(3) })
    new Int32Array(shared)[round] = words.size
  }
  parentPort.postMessage(memory.buffer.byteLength)
`

function worker(number) {
  return new Promise((resolve, reject) => {
    const made = new Worker(source, { eval: true, workerData: number })
    made.once('error', reject)
    made.once('message', (bytes) => {
      // Half of them are ended from outside, in the middle of whatever they do.
      if (number % 2) made.terminate()
      if (bytes !== 121 * 65536) reject(new Error(`a memory of ${bytes} bytes`))
    })
    made.once('exit', resolve)
  })
}

function child() {
  return new Promise((resolve, reject) => {
    const made = spawn(process.execPath, ['-e', 'Buffer.alloc(64 << 20, 1)'], { stdio: 'ignore' })
    made.once('error', reject)
    made.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a child ended with ${code}`))))
  })
}

function compress(bytes) {
  return new Promise((resolve, reject) => {
    gzip(Buffer.alloc(bytes, 'tracer'), (error) => (error ? reject(error) : resolve()))
  })
}

let number = 0
while (Date.now() < deadline) {
  const at_once = Array.from({ length: 4 }, () => worker((number += 1)))
  await Promise.all([...at_once, child(), compress(8 << 20), compress(3 << 20)])
}
