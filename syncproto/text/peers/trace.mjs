// Reads traces of the sequential and the concurrent format, and turns their
// code points into the UTF-16 units that JavaScript libraries count in.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

// readTrace returns {txns: [{agent, parents, patches}], text}. Patches are
// [position, deleted, inserted], in code points.
export function readTrace(path) {
  const raw = readFileSync(path)
  const file = JSON.parse(path.endsWith('.gz') ? gunzipSync(raw) : raw)
  const concurrent = file.kind === 'concurrent'
  const txns = file.txns.map((t, i) => ({
    agent: t.agent ?? 0,
    parents: concurrent ? t.parents : i === 0 ? [] : [i - 1],
    patches: t.patches,
  }))
  return { concurrent, txns, text: file.endContent }
}

const isAstral = (c) => c.codePointAt(0) > 0xffff

// A Ruler knows where in a text the code points of two UTF-16 units stand, and
// turns patches into UTF-16 units.
export class Ruler {
  wide = [] // their positions in code points, ascending

  convert([pos, del, ins]) {
    const from = this.#before(pos), to = this.#before(pos + del)
    const points = ins.length > 0 && /[\ud800-\udbff]/.test(ins) ? [...ins] : null
    const count = points ? points.length : ins.length
    const added = points ? points.flatMap((c, i) => (isAstral(c) ? [pos + i] : [])) : []
    if (to > from || added.length > 0) this.wide.splice(from, to - from, ...added)
    for (let i = from + added.length; i < this.wide.length; i++) this.wide[i] += count - del
    return [pos + from, del + to - from, ins]
  }

  #before(pos) {
    let lo = 0, hi = this.wide.length
    while (lo < hi) {
      const mid = (lo + hi) >> 1
      if (this.wide[mid] < pos) lo = mid + 1
      else hi = mid
    }
    return lo
  }

  static of(text) {
    const ruler = new Ruler()
    let at = 0
    for (const c of text) {
      if (isAstral(c)) ruler.wide.push(at)
      at++
    }
    return ruler
  }
}

// inUnits returns a sequential trace's transactions in UTF-16 units.
export function inUnits(trace) {
  const ruler = new Ruler()
  return trace.txns.map((t) => t.patches.map((p) => ruler.convert(p)))
}

// hasWide reports whether a trace inserts code points of two UTF-16 units.
export const hasWide = (trace) => trace.txns.some((t) => t.patches.some((p) => /[\ud800-\udbff]/.test(p[2])))

// updatesOf plays a concurrent trace as its writers did, each on a replica of
// their own at exactly the version of the transaction, and returns the update
// that each transaction made. make(agent, nth) makes a replica, an agent's
// first being its 0th; it can receive(update),
// and edit(patches) returns an update. text() is only asked for where UTF-16
// units have to be counted; units: 'points' says that the library does not. A
// replica that can save() begins others of its kind, which get what was saved as
// a third argument, in place of all updates until then.
export function updatesOf(trace, make) {
  const updates = [], replicas = [], saved = []
  const nth = new Array(256).fill(0)
  const wide = trace.units !== 'points' && hasWide(trace)
  trace.txns.forEach((txn, i) => {
    let mine = null, missing = null
    const near = replicas.filter((r) => txn.parents.includes(r.head))
    const own = replicas.filter((r) => r.agent === txn.agent)
    for (const r of new Set([...near, ...own])) {
      missing = missingOf(trace, r, txn.parents)
      if (missing) {
        mine = r
        break
      }
    }
    if (!mine) {
      const past = pastOf(trace, txn.parents)
      const from = saved.findLast((s) => past.has(s.head))
      mine = { doc: make(txn.agent, nth[txn.agent]++, from?.state), head: from ? from.head : -1, edits: 0 }
      mine.known = from ? from.known.slice() : new Uint8Array(trace.txns.length)
      replicas.push(mine)
      missing = missingOf(trace, mine, txn.parents)
    }
    mine.agent = txn.agent
    for (const m of missing) {
      mine.doc.receive(updates[m])
      mine.known[m] = 1
    }
    let patches = txn.patches
    if (wide) {
      const ruler = Ruler.of(mine.doc.text())
      patches = patches.map((p) => ruler.convert(p))
    }
    updates.push(mine.doc.edit(patches))
    mine.known[i] = 1
    mine.head = i
    if (++mine.edits % savedEvery === 0 && mine.doc.save) saved.push({ head: i, known: mine.known.slice(), state: mine.doc.save() })
  })
  return updates
}

// savedEvery is after how many edits a replica is saved.
const savedEvery = 1000

// pastOf returns the transactions of a version and all behind them.
function pastOf(trace, version) {
  const seen = new Set(), stack = [...version]
  while (stack.length > 0) {
    const i = stack.pop()
    if (seen.has(i)) continue
    seen.add(i)
    stack.push(...trace.txns[i].parents)
  }
  return seen
}

// missingOf returns what a replica lacks of a version, oldest first, or null if
// the replica knows anything beyond it. A replica knows its head and all that
// is behind it.
function missingOf(trace, replica, version) {
  const missing = [], seen = new Set(), stack = [...version]
  let met = replica.head < 0
  while (stack.length > 0) {
    const i = stack.pop()
    if (i === replica.head) met = true
    if (replica.known[i] || seen.has(i)) continue
    seen.add(i)
    missing.push(i)
    stack.push(...trace.txns[i].parents)
  }
  return met ? missing.sort((a, b) => a - b) : null
}
