import type { Value } from "./types";

/** A fresh random id for a record, element or slot: 32 hexadecimal digits. */
export function newID(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * The record id of one child's part of a visit, both given as ids: two who begin it apart
 * begin one record (SPEC 3.8).
 */
export async function partID(visit: string, child: string): Promise<string> {
  const input = new Uint8Array([...new TextEncoder().encode("doorstep-part-v1\0"), ...fromHex(visit), ...fromHex(child)]);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", input)).subarray(0, 16));
}

/** The id that a reference or hash holds; undefined for any other value. */
export function idOf(value: Value | undefined): string | undefined {
  return value instanceof Uint8Array && (value.length === 16 || value.length === 32) ? toHex(value) : undefined;
}

/** The value that refers to an id. */
export function refTo(id: string): Uint8Array {
  return fromHex(id);
}

const digits = "0123456789abcdef";

export function toHex(b: Uint8Array): string {
  let s = "";
  for (const n of b) s += digits[n >> 4]! + digits[n & 15]!;
  return s;
}

/** Throws on anything but an even number of lower-case hexadecimal digits. */
export function fromHex(s: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(s.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const high = digits.indexOf(s[2 * i]!), low = digits.indexOf(s[2 * i + 1]!);
    if (high < 0 || low < 0) throw new TypeError("not an id");
    out[i] = (high << 4) | low;
  }
  if (s.length % 2 !== 0) throw new TypeError("not an id");
  return out;
}
