/** What a page gives as the engine's arguments. */
import { wordBytes } from "../cbor";
import { fromHex } from "../ids";
import type { Capture, Op, Path, RecordHeads, Splice, Value } from "../types";
import { captures } from "./decode";

const none = new Uint8Array(16);

export function idBytes(id: string | undefined): Uint8Array {
  return id ? fromHex(id) : none;
}

export function pathValue(p: Path | undefined): Value {
  return [p?.field ?? "", idBytes(p?.element), p?.sub ?? ""];
}

export function spliceValues(s: Splice): [number, number, Uint8Array] {
  return [s.pos, s.del, wordBytes(s.ins)];
}

export function captureValue(c: Capture | undefined): number {
  return Math.max(0, captures.indexOf(c ?? "typed"));
}

/** The engine's time: the wall clock as evidence, and one that is never set. */
export function timeValue(): Value {
  const now = new Date();
  return [now.getTime(), -now.getTimezoneOffset(), Math.floor(performance.now())];
}

/** 16 fresh random bytes. */
export function chance(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(16));
}

const codes = { set: 1, splice: 2, add: 3, remove: 4, decide: 5, hand_over: 6, confirm: 7, query: 8, answer: 9, addendum: 11, correct: 12 };

/** Every member that some op has; what an op does not have is empty. */
interface AnyOp {
  op: keyof typeof codes;
  path?: Path;
  value?: Value;
  old?: Value;
  splices?: Splice[];
  reason?: string;
  text?: string;
  to?: string;
  query?: string;
  at?: number;
  heads?: RecordHeads[];
}

export function opValue(given: Op): Value {
  const op = given as AnyOp;
  const code = codes[op.op];
  if (!code) throw new TypeError("unknown op");
  return [
    code, pathValue(op.path), op.value ?? null, op.old ?? null, (op.splices ?? []).flatMap(spliceValues), op.reason ?? "", op.text ?? "",
    idBytes(op.to), op.query ? fromHex(op.query) : new Uint8Array(32), op.at ?? 0,
    (op.heads ?? []).map((h) => [idBytes(h.record), [...h.heads].sort().map(fromHex)]),
  ];
}
