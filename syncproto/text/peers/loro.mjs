// loro-crdt: one commit for each of the trace's transactions. "Bytes" are its
// snapshot, which holds the full history.
import { LoroDoc } from 'loro-crdt'
import { inUnits, updatesOf } from './trace.mjs'

function edit(doc, text, patches) {
  for (const [pos, del, ins] of patches) {
    if (del > 0) text.delete(pos, del)
    if (ins !== '') text.insert(pos, ins)
  }
  doc.commit()
}

export function apply(trace) {
  const txns = inUnits(trace)
  return () => {
    const doc = new LoroDoc(), text = doc.getText('t')
    for (const patches of txns) edit(doc, text, patches)
    return { text: text.toString(), bytes: () => doc.export({ mode: 'snapshot' }).length }
  }
}

class Replica {
  doc = new LoroDoc()
  shared = this.doc.getText('t')

  receive(update) {
    this.doc.import(update)
  }

  text() {
    return this.shared.toString()
  }

  edit(patches) {
    const from = this.doc.version()
    edit(this.doc, this.shared, patches)
    return this.doc.export({ mode: 'update', from })
  }
}

export function stream(trace) {
  const updates = updatesOf(trace, () => new Replica())
  return () => {
    const doc = new LoroDoc(), text = doc.getText('t')
    for (const update of updates) doc.import(update)
    return { text: text.toString(), bytes: () => doc.export({ mode: 'snapshot' }).length }
  }
}

export function load(trace) {
  const doc = new LoroDoc()
  if (trace.concurrent) doc.importBatch(updatesOf(trace, () => new Replica()))
  else for (const patches of inUnits(trace)) edit(doc, doc.getText('t'), patches)
  const saved = doc.export({ mode: 'snapshot' })
  return () => {
    const loaded = new LoroDoc()
    loaded.import(saved)
    return { text: loaded.getText('t').toString(), bytes: () => saved.length }
  }
}
