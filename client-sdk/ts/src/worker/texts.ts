/** Texts that pages have open for typing, and how they moved since a page last heard. */
import type { Moved, TypedSplice } from "../textfield";
import { newID, toHex } from "../ids";
import { interrupted, Refusal } from "../refusal";
import { apply, between, cross } from "../splice";
import type { Path, Splice } from "../types";
import { nothing, type Outcome } from "./device";
import { captureValue, chance, idBytes, pathValue, spliceValues, timeValue } from "./encode";
import { Op, type Engine, type NoteEffect } from "./engine";

interface OpenText {
  record: string;
  path: Path;
  /** As the engine has it. */
  text: string;
  /** What the page has not said to have seen, each in terms of the text with all that it sent. */
  unseen: { seq: number; splices: Splice[] }[];
  seq: number;
  taken: number;
}

export class Texts {
  readonly #open = new Map<string, OpenText>();

  constructor(readonly tell: (m: Moved) => void) {}

  open(engine: Engine, record: string, path: Path): { session: string; text: string } {
    const session = newID();
    const text = read(engine, record, path);
    this.#open.set(session, { record, path, text, unseen: [], seq: 0, taken: 0 });
    return { session, text };
  }

  close(session: string): void { this.#open.delete(session); }

  forget(): void { this.#open.clear(); }

  /** Takes in what a page typed, moved past what it had not seen. */
  type(engine: Engine, t: TypedSplice): Outcome {
    const o = this.#open.get(t.session);
    if (!o) throw interrupted("the text is not open");
    this.#open.delete(t.session); // unless all of it is taken in: what comes next is on top of it
    o.unseen = o.unseen.filter((m) => m.seq > t.seen);
    let mine = t.splices;
    for (const m of o.unseen) [mine, m.splices] = cross(mine, m.splices);
    const effects = { ...nothing, rows: [...nothing.rows], spare: [...nothing.spare], notes: [...nothing.notes] };
    for (const s of mine) {
      const done = engine.call(Op.type, timeValue(), idBytes(o.record), pathValue(o.path), ...spliceValues(s), captureValue(t.capture), chance());
      o.text = apply(o.text, s);
      effects.rows.push(...done.effects.rows);
      effects.spare.push(...done.effects.spare);
      effects.notes.push(...done.effects.notes);
      effects.after = done.effects.after;
    }
    o.taken = t.n;
    this.#open.set(t.session, o);
    return { result: null, effects };
  }

  /** Tells pages what changed in the records that notes are about. */
  changed(engine: Engine, notes: NoteEffect[]): void {
    const touched = new Set(notes.map((n) => toHex(n.record)));
    for (const [session, o] of this.#open) {
      if (!touched.has(o.record)) continue;
      let now: string;
      try {
        now = read(engine, o.record, o.path);
      } catch (e) {
        if (e instanceof Refusal) continue; // closed to this person now: the app hears of that
        throw e;
      }
      const splice = between(o.text, now);
      if (!splice) continue;
      o.text = now;
      o.unseen.push({ seq: ++o.seq, splices: [splice] });
      this.tell({ session, seq: o.seq, taken: o.taken, splice });
    }
  }
}

function read(engine: Engine, record: string, path: Path): string {
  return engine.call(Op.text, idBytes(record), pathValue(path)).result as string;
}
