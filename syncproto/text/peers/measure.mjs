// Measures one library on one trace, in a process of its own:
//
//	node measure.mjs LIBRARY TASK TRACE SECONDS
//
// It prints "ready", and then one line of JSON: the processor time (user and system) in ms of the
// first run, which warms the compiler up, and of each run after it; the encoded
// bytes; and the SHA-256 of the text that the task ended in. A task returns the text
// and what is done after the clock has stopped: bytes() counts what would be saved,
// free() gives memory back that the collector does not know of.
import { createHash } from 'node:crypto'
import { readTrace } from './trace.mjs'

const [library, task, path, seconds] = process.argv.slice(2)
const adapter = await import(`./${library}.mjs`)
const trace = readTrace(path)
const run = await adapter[task](trace)
console.log('ready') // what comes now is measured

const cpuOf = (f) => {
  const before = process.cpuUsage()
  const result = f()
  const used = process.cpuUsage(before)
  return [(used.user + used.system) / 1000, result]
}

const deadline = performance.now() + Number(seconds) * 1000
let [first, result] = cpuOf(run)
const times = []
const another = () => performance.now() < deadline || (times.length === 0 && first < 2000)
while (times.length < 9 && another()) {
  result.free?.()
  const [ms, again] = cpuOf(run)
  times.push(ms)
  result = again
}
const { text, bytes } = result
console.log(JSON.stringify({
  first: [first],
  cpu: times.length ? times : [first],
  cold: times.length === 0,
  bytes: bytes(),
  text: createHash('sha256').update(text).digest('hex'),
}))
process.exit(0)
