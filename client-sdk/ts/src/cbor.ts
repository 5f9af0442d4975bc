/**
 * Deterministic CBOR as the protocol has it (SPEC 4): integers of at most 53 bits,
 * bytes, well-formed text, lists, maps with text keys, booleans and null.
 */
import type { Value } from "./types";

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a value. Half a character in a text becomes U+FFFD. */
export function encode(v: Value): Uint8Array<ArrayBuffer> {
  const w = new Writer();
  w.value(v);
  return w.done();
}

class Writer {
  #b = new Uint8Array(256);
  #n = 0;

  done(): Uint8Array<ArrayBuffer> { return this.#b.slice(0, this.#n); }

  value(v: Value): void {
    if (v === null || v === undefined) this.#byte(0xf6);
    else if (typeof v === "boolean") this.#byte(v ? 0xf5 : 0xf4);
    else if (typeof v === "number") this.#int(v);
    else if (typeof v === "string") this.#bytes(3, utf8.encode(v));
    else if (v instanceof Uint8Array) this.#bytes(2, v);
    else if (Array.isArray(v)) {
      this.#head(4, v.length);
      for (const item of v) this.value(item);
    } else this.#map(v);
  }

  #int(v: number): void {
    if (!Number.isSafeInteger(v)) throw new TypeError("not an integer");
    if (v >= 0) this.#head(0, v);
    else this.#head(1, -1 - v);
  }

  #map(v: { [key: string]: Value }): void {
    const keys = Object.keys(v).map((k) => ({ k, b: utf8.encode(k) })).sort((x, y) => compareKeys(x.b, y.b));
    this.#head(5, keys.length);
    for (const { k, b } of keys) {
      this.#bytes(3, b);
      this.value(v[k]!);
    }
  }

  #bytes(major: number, b: Uint8Array): void {
    this.#head(major, b.length);
    this.#room(b.length);
    this.#b.set(b, this.#n);
    this.#n += b.length;
  }

  #head(major: number, n: number): void {
    const m = major << 5;
    if (n < 24) this.#byte(m | n);
    else if (n < 0x100) this.#number(m | 24, n, 1);
    else if (n < 0x10000) this.#number(m | 25, n, 2);
    else if (n < 0x100000000) this.#number(m | 26, n, 4);
    else this.#number(m | 27, n, 8);
  }

  #number(first: number, n: number, size: number): void {
    this.#byte(first);
    this.#room(size);
    for (let i = size - 1; i >= 0; i--) {
      this.#b[this.#n + i] = n % 256;
      n = Math.floor(n / 256);
    }
    this.#n += size;
  }

  #byte(n: number): void {
    this.#room(1);
    this.#b[this.#n++] = n;
  }

  #room(n: number): void {
    if (this.#n + n <= this.#b.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#b.length, this.#n + n));
    grown.set(this.#b);
    this.#b = grown;
  }
}

/** Keys are ordered as their encodings: by length, then bytewise. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/**
 * The value that exactly these bytes hold. Throws if they hold none. Maps have text for
 * keys; the steps of a late change in a view have numbers (SPEC 3.6), where numbered.
 */
export function decode(b: Uint8Array, numbered = false): Value {
  const r = new Reader(b, numbered);
  const v = r.value();
  if (!r.atEnd) throw new TypeError("cbor: bytes left over");
  return v;
}

/** Reads one item after another. What it gives is copied. */
export class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array, private readonly numbered = false) {}

  get atEnd(): boolean { return this.#at === this.bytes.length; }

  value(): Value {
    const first = this.bytes[this.#at];
    if (first === undefined) throw new TypeError("cbor: too short");
    switch (first >> 5) {
      case 0: return this.#head();
      case 1: return -1 - this.#head();
      case 2: return this.#take(this.#head()).slice();
      case 3: return text.decode(this.#take(this.#head()));
      case 4: return this.#list(this.#head());
      case 5: return this.#map(this.#head());
    }
    this.#at++;
    if (first === 0xf4 || first === 0xf5) return first === 0xf5;
    if (first === 0xf6) return null;
    throw new TypeError("cbor: unknown item");
  }

  #list(n: number): Value[] {
    const out: Value[] = [];
    for (let i = 0; i < n; i++) out.push(this.value());
    return out;
  }

  #map(n: number): { [key: string]: Value } {
    const out: { [key: string]: Value } = {};
    for (let i = 0; i < n; i++) {
      const key = this.value();
      if (typeof key !== "string" && !(this.numbered && typeof key === "number")) throw new TypeError("cbor: a key that is no text");
      // Not by assignment: "__proto__" is a key like any other.
      Object.defineProperty(out, key, { value: this.value(), enumerable: true, configurable: true, writable: true });
    }
    return out;
  }

  #head(): number {
    const low = this.bytes[this.#at++]! & 31;
    if (low < 24) return low;
    if (low > 27) throw new TypeError("cbor: unknown length");
    let n = 0;
    for (const b of this.#take(1 << (low - 24))) n = n * 256 + b;
    return n;
  }

  #take(n: number): Uint8Array {
    if (n > this.bytes.length - this.#at) throw new TypeError("cbor: too short");
    this.#at += n;
    return this.bytes.subarray(this.#at - n, this.#at);
  }
}

/** A string's UTF-8, with half a character written as it came: the engine keeps it. */
export function wordBytes(s: string): Uint8Array {
  if (!/[\ud800-\udfff]/.test(s) || isWellFormed(s)) return utf8.encode(s);
  const out: number[] = [];
  for (const c of s) {
    const n = c.codePointAt(0)!;
    if (n >= 0xd800 && n < 0xe000) out.push(0xe0 | (n >> 12), 0x80 | ((n >> 6) & 63), 0x80 | (n & 63));
    else out.push(...utf8.encode(c));
  }
  return Uint8Array.from(out);
}

function isWellFormed(s: string): boolean {
  for (const c of s) {
    const n = c.codePointAt(0)!;
    if (n >= 0xd800 && n < 0xe000) return false;
  }
  return true;
}
