// diamond-types-node (WebAssembly): the operations of a trace as they are, with
// their parents. "Replay" is the merge of a whole operation log that is in
// memory; "load" begins with its bytes, which hold the full history.
import dt from 'diamond-types-node'
import { updatesOf } from './trace.mjs'

function logOf(trace) {
  const log = new dt.OpLog('none'), last = []
  let agent = null, events = 0
  trace.txns.forEach((txn, i) => {
    if (agent !== txn.agent) log.setAgent('agent-' + (agent = txn.agent))
    let parents = [...new Set(txn.parents.flatMap((p) => last[p]))].sort((a, b) => a - b)
    for (const [pos, del, ins] of txn.patches) {
      if (del > 0) {
        log.del(pos, del, Uint32Array.from(parents))
        events += del
        parents = [events - 1]
      }
      if (ins !== '') {
        log.ins(pos, ins, Uint32Array.from(parents))
        events += [...ins].length
        parents = [events - 1]
      }
    }
    last[i] = parents
  })
  return log
}

export function apply(trace) {
  return () => {
    const doc = new dt.Doc('one')
    for (const { patches } of trace.txns) edit(doc, patches)
    return { text: doc.get(), bytes: () => doc.toBytes().length, free: () => doc.free() }
  }
}

function edit(doc, patches) {
  for (const [pos, del, ins] of patches) {
    if (del > 0) doc.del(pos, del)
    if (ins !== '') doc.ins(pos, ins)
  }
}

export function replay(trace) {
  const log = logOf(trace), bytes = () => log.toBytes().length
  return () => {
    const branch = dt.Branch.all(log)
    const text = branch.get()
    branch.free()
    return { text, bytes }
  }
}

export function load(trace) {
  const saved = logOf(trace).toBytes()
  return () => {
    const doc = dt.Doc.fromBytes(saved)
    const text = doc.get()
    doc.free()
    return { text, bytes: () => saved.length }
  }
}

let replicas = 0

class Replica {
  doc = new dt.Doc('replica-' + replicas++)

  receive(update) {
    this.doc.mergeBytes(update)
  }

  text() {
    return '' // counts in code points, as the trace does
  }

  edit(patches) {
    const from = this.doc.getLocalVersion()
    edit(this.doc, patches)
    return this.doc.getPatchSince(from)
  }
}

export function stream(trace) {
  const updates = updatesOf({ ...trace, units: 'points' }, () => new Replica())
  return () => {
    const doc = new dt.Doc()
    for (const update of updates) doc.mergeBytes(update)
    return { text: doc.get(), bytes: () => doc.toBytes().length, free: () => doc.free() }
  }
}
