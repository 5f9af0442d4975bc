// yjs, as its users use it: one transaction for each of the trace's, updates of
// the default format. "Bytes" are the state without history (gc is on), in
// the second format, which is smaller.
import * as Y from 'yjs'
import { inUnits, updatesOf } from './trace.mjs'

function edit(doc, text, patches) {
  doc.transact(() => {
    for (const [pos, del, ins] of patches) {
      if (del > 0) text.delete(pos, del)
      if (ins !== '') text.insert(pos, ins)
    }
  })
}

export function apply(trace) {
  const txns = inUnits(trace)
  return () => {
    const doc = docOf(0, 0), text = doc.getText('t')
    for (const patches of txns) edit(doc, text, patches)
    return { text: text.toString(), bytes: () => Y.encodeStateAsUpdateV2(doc).length }
  }
}

// docOf makes a replica. Client numbers are small, which saves yjs bytes, and run
// against the order of the writers: so it puts what was typed at one place into
// the order that the traces end in.
function docOf(agent, nth) {
  const doc = new Y.Doc()
  doc.clientID = 65535 - nth * 256 - agent
  return doc
}

class Replica {
  made = []

  constructor(agent, nth, saved) {
    this.doc = docOf(agent, nth)
    this.shared = this.doc.getText('t')
    if (saved) Y.applyUpdate(this.doc, saved)
    this.doc.on('update', (update, origin) => origin !== 'remote' && this.made.push(update))
  }

  receive(update) {
    if (update) Y.applyUpdate(this.doc, update, 'remote')
  }

  save() {
    return Y.encodeStateAsUpdate(this.doc)
  }

  text() {
    return this.shared.toString()
  }

  edit(patches) {
    this.made = []
    edit(this.doc, this.shared, patches)
    return this.made.length > 0 ? Y.mergeUpdates(this.made) : null
  }
}

export function stream(trace) {
  const updates = updatesOf(trace, (...by) => new Replica(...by)).filter(Boolean)
  return () => {
    const doc = new Y.Doc(), text = doc.getText('t')
    for (const update of updates) Y.applyUpdate(doc, update)
    return { text: text.toString(), bytes: () => Y.encodeStateAsUpdateV2(doc).length }
  }
}

export function load(trace) {
  const saved = Y.encodeStateAsUpdateV2(whole(trace))
  return () => {
    const doc = new Y.Doc()
    Y.applyUpdateV2(doc, saved)
    return { text: doc.getText('t').toString(), bytes: () => saved.length }
  }
}

function whole(trace) {
  const doc = new Y.Doc(), text = doc.getText('t')
  doc.clientID = 1
  if (trace.concurrent) {
    for (const u of updatesOf(trace, (...by) => new Replica(...by))) if (u) Y.applyUpdate(doc, u)
  } else {
    for (const patches of inUnits(trace)) edit(doc, text, patches)
  }
  return doc
}
