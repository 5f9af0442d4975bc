/** The engine in its wasm module: calls go in as bytes, effects come out. */
import { decode, encode } from "../cbor";
import { Refusal } from "../refusal";
import type { Value } from "../types";
import "go:wasm_exec";

/** Numbers shared with client-sdk/wasm/binding. */
export const Op = {
  new: 1, load: 2, start: 3, startSpare: 4, edit: 5, type: 6, save: 7, sync: 8, signed: 9, parts: 10, reply: 11, failed: 12,
  reoffer: 13, rest: 14, view: 15, viewAt: 16, heads: 17, status: 18, outbox: 19, marks: 20, exportChange: 21, families: 22,
  records: 23, text: 24, kinds: 25, problems: 26, code: 27, spare: 28, views: 29, digests: 30, unsent: 31, sketches: 32, sketch: 33, await: 34, content: 35, authors: 36,
} as const;

/** A stored row; a null value deletes. */
export type Row = [key: Uint8Array, value: Uint8Array | null];

export interface NoteEffect {
  kind: number;
  family: Uint8Array;
  record: Uint8Array;
  change: Uint8Array;
  code: string;
  plain: string;
}

/** What a call asks the driver to do. */
export interface Effects {
  rows: Row[];
  spare: Row[];
  sign?: { request: Uint8Array; messages: Uint8Array[] };
  send?: { request: Uint8Array; payload: Uint8Array };
  /** Milliseconds until the next sync. */
  after?: number;
  notes: NoteEffect[];
}

/** The module failed: it must be started anew from the stored rows. */
export class EngineFailure extends Error {}

/** The rows cannot be used. */
export class RowsFailure extends Error {}

interface Exports {
  memory: WebAssembly.Memory;
  reserve(n: number): number;
  call(op: number, n: number): number;
  answer(): number;
}

declare const Go: new () => { importObject: WebAssembly.Imports; run(i: WebAssembly.Instance): Promise<void> };

/** One engine in one instance of the module. */
export class Engine {
  #ended = false;

  private constructor(readonly exports: Exports) {}

  static async start(module: WebAssembly.Module): Promise<Engine> {
    const go = new Go();
    const instance = await WebAssembly.instantiate(module, go.importObject);
    // Go's names of its memory and of ours.
    const x = instance.exports as unknown as Omit<Exports, "memory"> & { mem: WebAssembly.Memory };
    const engine = new Engine({ memory: x.mem, reserve: x.reserve, call: x.call, answer: x.answer });
    void go.run(instance).finally(() => { engine.#ended = true; });
    return engine;
  }

  /**
   * Makes one call. Throws a Refusal if nothing was done, a RowsFailure, or an
   * EngineFailure after which this engine is of no use.
   */
  call(op: number, ...args: Value[]): { result: Value; effects: Effects } {
    const answer = decode(this.#raw(op, encode(args))) as Value[];
    switch (answer[0]) {
      case 0: return { result: answer[1]!, effects: effectsOf(answer[2] as Value[][]) };
      case 1: throw new Refusal(answer[2] as string, answer[3] as string);
      case 2: throw new RowsFailure(answer[1] as string);
    }
    this.#ended = true;
    throw new EngineFailure(answer[1] as string);
  }

  #raw(op: number, args: Uint8Array): Uint8Array {
    if (this.#ended) throw new EngineFailure("the engine has ended");
    const x = this.exports;
    try {
      const at = x.reserve(args.length) >>> 0;
      new Uint8Array(x.memory.buffer, at, args.length).set(args);
      const n = x.call(op, args.length);
      return new Uint8Array(x.memory.buffer, x.answer() >>> 0, n).slice();
    } catch (e) {
      this.#ended = true;
      throw new EngineFailure(e instanceof Error ? e.message : "trap");
    }
  }
}

function effectsOf(list: Value[][]): Effects {
  const out: Effects = { rows: [], spare: [], notes: [] };
  for (const e of list) {
    switch (e[0]) {
      case 1:
        out.rows.push(...(e[1] as unknown as Row[]));
        out.spare.push(...(e[2] as unknown as Row[]));
        break;
      case 2: out.sign = { request: e[1] as Uint8Array, messages: e[2] as Uint8Array[] }; break;
      case 3: out.send = { request: e[1] as Uint8Array, payload: e[2] as Uint8Array }; break;
      case 4: out.after = Math.min(out.after ?? Infinity, e[1] as number); break;
      case 5:
        out.notes.push({
          kind: e[1] as number, family: e[2] as Uint8Array, record: e[3] as Uint8Array, change: e[4] as Uint8Array,
          code: e[6] as string, plain: e[7] as string,
        });
        break;
    }
  }
  return out;
}
