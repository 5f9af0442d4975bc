// @automerge/automerge: one change for each of the trace's transactions.
import * as A from '@automerge/automerge'
import { inUnits } from './trace.mjs'

function edited(doc, patches) {
  return A.change(doc, (d) => {
    for (const [pos, del, ins] of patches) A.splice(d, ['t'], pos, del, ins)
  })
}

export function apply(trace) {
  const txns = inUnits(trace)
  return () => {
    let doc = A.from({ t: '' })
    for (const patches of txns) doc = edited(doc, patches)
    return { text: doc.t, bytes: () => A.save(doc).length }
  }
}

export function load(trace) {
  let doc = A.from({ t: '' })
  for (const patches of inUnits(trace)) doc = edited(doc, patches)
  const saved = A.save(doc)
  return () => ({ text: A.load(saved).t, bytes: () => saved.length })
}
