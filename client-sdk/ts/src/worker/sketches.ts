/**
 * Sketches: what forms that are being filled in would say. Each is a row of the
 * driver's own, written again with each keystroke, and no change yet.
 *
 *   D n record(16) SHA-256(name)(16)   [salt, time, sketch]
 */
import { decode, encode } from "../cbor";
import { fromHex } from "../ids";
import { Refusal } from "../refusal";
import type { Op, Sketch, Value } from "../types";
import { captureValue, chance, idBytes, opValue, timeValue } from "./encode";
import type { Effects, Engine, Row } from "./engine";
import { join, type Bytes } from "./seal";

const prefix = [0x44, 0x6e] as const;

export function isSketch(key: Uint8Array): boolean { return key[0] === prefix[0] && key[1] === prefix[1]; }

/** Whether a sketch's key is of this record. */
export function isOf(key: Uint8Array, record: Uint8Array): boolean {
  return record.every((b, i) => key[prefix.length + i] === b);
}

export async function sketchKey(record: string, name: string): Promise<Bytes> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name)));
  return join(Uint8Array.from(prefix), fromHex(record), sum.subarray(0, 16));
}

export async function sketchRow(s: Sketch): Promise<Row> {
  const said = { name: s.name, record: s.record, family: s.family, kind: s.kind, ops: s.ops, capture: s.capture ?? "typed" };
  return [await sketchKey(s.record, s.name), encode([chance(), timeValue(), said as unknown as Value])];
}

export function sketchOf(row: Uint8Array): Sketch {
  return (decode(row) as Value[])[2] as unknown as Sketch;
}

/**
 * Has the engine make a change of a sketch, or say what it would be: with its steps, or
 * where the form lacks what they need, with its words alone, as an addendum. Undefined:
 * neither can be, and there is not a word in it.
 */
export function carryOut(engine: Engine, op: number, row: Uint8Array): { result: Value; effects: Effects } | undefined {
  const s = sketchOf(row), words = wordsOf(s.ops as unknown as Value).join("\n");
  for (const ops of [s.ops, words === "" ? [] : [{ op: "addendum", text: words } satisfies Op]]) {
    try {
      if (ops.length > 0) return engine.call(op, ...argsOf(row, ops));
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
    }
  }
  return undefined;
}

function argsOf(row: Uint8Array, ops: Op[]): Value[] {
  const [salt, time] = decode(row) as [Value, Value];
  const s = sketchOf(row);
  return [time, idBytes(s.record), idBytes(s.family), s.kind, captureValue(s.capture), salt, ops.map(opValue)];
}

/** Every text that somebody may have typed into steps. */
function wordsOf(v: Value): string[] {
  const steps = v as { value?: Value; text?: string; reason?: string }[];
  return steps.flatMap((s) => [...textsIn(s.value ?? null), s.text ?? "", s.reason ?? ""]).filter((w) => w !== "");
}

function textsIn(v: Value): string[] {
  if (typeof v === "string") return [v];
  if (v === null || typeof v !== "object" || v instanceof Uint8Array) return [];
  return Object.values(v).flatMap(textsIn);
}
