/**
 * The sealed outbox of one store: which rows it has, and how they follow the engine's.
 * A row's value is a run of sealed items; its key, which says nothing to anybody, is
 *
 *   c change(32)   a change that the server has not made durable
 *   d record(16)   what the record's open draft would be
 *   s record(16) name(16)   what a form that is being filled in would be
 *
 *   n note(16)     what was written while the store was locked (see Notebook)
 *
 * Rows are written in the same transaction as the engine's own, so that what is
 * acknowledged is in both, and in a second copy of their own. Both are read without
 * the store's key.
 */
import type { SealedWork } from "../client";
import { toHex } from "../ids";
import type { Value } from "../types";
import { Op, type Engine, type Row } from "./engine";
import { RowStore } from "./rowstore";
import { join } from "./seal";
import { carryOut, isSketch } from "./sketches";
import { headerOf, type Sealer, type SealTo, type Unsent } from "./sealed";
import { Spare, summed } from "./spare";

/** How long typing may be on the disk before it is sealed as well. */
const draftMS = 250;

const letter = { change: 0x63, draft: 0x64, link: 0x6f, sketch: 0x73, note: 0x6e };
const draftPrefix = 1 + 16; // of the engine's row: its letter and the family

type Unread = [id: Uint8Array, message: Uint8Array, prev: Uint8Array, body: Uint8Array];

export class Outbox {
  readonly #keys = new Set<string>();
  /** Records whose draft was written since it was sealed. */
  readonly #typed = new Set<string>();
  /** Sketches that were, by their rows' keys. */
  readonly #sketched = new Map<string, Row>();
  #due = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** wake is called when drafts are due and nobody called. */
  constructor(readonly sealer: Sealer, readonly wake: () => void) {}

  /** The rows to write so that those stored, by their keys, hold what is unsent and nothing else. */
  async renew(engine: Engine, stored: Uint8Array[], sketches: Row[]): Promise<Row[]> {
    const unsent = listOf(engine.call(Op.unsent, null).result).map((u): [Uint8Array, Unsent[]] => [keyOf(letter.change, u.id), [u]]);
    const wanted = new Map([...unsent, ...drafts(engine), ...sketched(engine, sketches)].map(([k, list]) => [toHex(k), { k, list }]));
    const out: Row[] = [];
    this.#keys.clear();
    for (const k of stored) {
      const name = toHex(k), known = k[0] === letter.change && wanted.delete(name);
      if (known || k[0] === letter.note) this.#keys.add(name);
      else if (!wanted.has(name)) out.push([k, null]);
    }
    for (const { k, list } of wanted.values()) out.push([k, await this.sealer.items(list)]);
    return this.#took(out);
  }

  /**
   * The rows to write beside those of the engine. spare are those for a second copy:
   * what is durable on the server leaves it.
   */
  async follow(engine: Engine | undefined, rows: Row[], spare: Row[]): Promise<Row[]> {
    const out: Row[] = [];
    for (const [k, v] of spare) if (k[0] === letter.change && !v) out.push([keyOf(letter.change, k.slice(-32)), null]);
    for (const [k, v] of rows) {
      if (k[0] === letter.draft) this.#draft(k.slice(draftPrefix), v !== null, out);
      else if (isSketch(k)) this.#sketch(k, v, out);
    }
    if (engine && rows.some(([k]) => k[0] === letter.link)) {
      for (const u of listOf(engine.call(Op.unsent, rows as unknown as Value).result)) {
        out.push([keyOf(letter.change, u.id), await this.sealer.items([u])]);
      }
    }
    return this.#took(out.filter(([k, v]) => v || this.#keys.has(toHex(k))));
  }

  /** The rows to write for typing that was on the disk long enough without being sealed as well. */
  async overdue(engine: Engine): Promise<Row[]> {
    return performance.now() < this.#due ? [] : this.#took(await this.#drafts(engine));
  }

  /** Has the drafts sealed next, whatever the time. */
  hurry(): void { if (this.#due !== Infinity) this.#due = 0; }

  end(): void { clearTimeout(this.#timer); }

  #draft(record: Uint8Array, open: boolean, out: Row[]): void {
    if (!open) {
      this.#typed.delete(toHex(record));
      out.push([keyOf(letter.draft, record), null]);
      return;
    }
    this.#typed.add(toHex(record));
    this.#plan();
  }

  #sketch(key: Uint8Array, value: Uint8Array | null, out: Row[]): void {
    if (!value) {
      this.#sketched.delete(toHex(key));
      out.push([sealedKeyOf(key), null]);
      return;
    }
    this.#sketched.set(toHex(key), [key, value]);
    this.#plan();
  }

  #plan(): void {
    if (this.#due !== Infinity) return;
    this.#due = performance.now() + draftMS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.hurry();
      this.wake();
    }, draftMS);
  }

  async #drafts(engine: Engine): Promise<Row[]> {
    const out: Row[] = [];
    for (const [k, list] of drafts(engine)) {
      if (this.#typed.has(toHex(k.subarray(1)))) out.push([k, await this.sealer.items(list)]);
    }
    for (const [k, list] of sketched(engine, [...this.#sketched.values()])) out.push([k, await this.sealer.items(list)]);
    this.#typed.clear();
    this.#sketched.clear();
    this.#due = Infinity;
    return out;
  }

  #took(rows: Row[]): Row[] {
    for (const [k, v] of rows) {
      if (v) this.#keys.add(toHex(k));
      else this.#keys.delete(toHex(k));
    }
    return rows;
  }
}

/** What the sealed outbox of a store is read from, whether or not the store is open. */
export interface OutboxPlace {
  name: string;
  store: string;
  folder: FileSystemDirectoryHandle | undefined;
  to: SealTo | undefined;
  /** The store is open, and its second copy in use. */
  open: boolean;
}

/** The file that two people of the borough open, of what is sealed on this device. */
export async function sealedWork(p: OutboxPlace): Promise<SealedWork> {
  const rows = p.to ? await storedRows(p) : [];
  const file = p.to ? join(await headerOf(p.to), ...rows.map(([, v]) => v!)) : new Uint8Array();
  return { items: rows.length, file };
}

/** The outbox's rows; of the second copy where the first is gone. */
async function storedRows(p: OutboxPlace): Promise<Row[]> {
  const store = new RowStore(`${p.name}-${p.store}`, undefined);
  const loaded = await store.load().catch(() => undefined);
  store.close();
  if (p.open || !p.folder || loaded && loaded.writes > 0) return loaded?.outbox ?? [];
  const { spare, content } = await Spare.open(p.folder, outboxName(p.store), summed);
  spare.close();
  return content?.rows ?? [];
}

/** What the second copy of a store's sealed outbox is called. */
export function outboxName(store: string): string { return `${store}.outbox`; }

function drafts(engine: Engine): [Uint8Array, Unsent[]][] {
  const sketches = engine.call(Op.sketches).result as [Uint8Array, Value][];
  return sketches.map(([record, list]) => [keyOf(letter.draft, record), listOf(list)]);
}

/** What sketches would be. */
function sketched(engine: Engine, rows: Row[]): [Uint8Array, Unsent[]][] {
  const out: [Uint8Array, Unsent[]][] = [];
  for (const [k, v] of rows) {
    const made = carryOut(engine, Op.sketch, v!);
    if (made) out.push([sealedKeyOf(k), listOf((made.result as Value[])[1]!)]);
  }
  return out;
}

function sealedKeyOf(sketch: Uint8Array): Uint8Array { return keyOf(letter.sketch, sketch.subarray(2)); }

function listOf(v: Value): Unsent[] {
  return (v as unknown as Unread[]).map(([id, message, prev, body]) => ({ id, message, prev, body }));
}

function keyOf(first: number, id: Uint8Array): Uint8Array {
  return join(Uint8Array.of(first), id);
}
