/** The parts that need no browser, under node. Fixtures of Go's come in as JSON; a seed decides chance. */
import { readFileSync } from "node:fs";
import { decode, encode, wordBytes } from "../src/cbor";
import { unwrap, wrap } from "../src/frame";
import { fromHex, toHex } from "../src/ids";
import { apply, between, cross, moved, points } from "../src/splice";
import { TextField, type Moved } from "../src/textfield";
import { Refusal } from "../src/refusal";
import type { Splice } from "../src/types";
import { Texts } from "../src/worker/texts";
import { viewOf } from "../src/worker/decode";
import { join } from "../src/worker/seal";
import { headerOf, noteBody, sealItem } from "../src/worker/sealed";
import type { Engine, NoteEffect } from "../src/worker/engine";

interface Fixtures {
  seed: number;
  cbor: string[];
  refused: string[];
  frames: { wire: string; message: string }[];
  outbox: { hex: string[]; key: string[]; ephemeral: string[]; item: string[] }[];
  view: { encoded: string; heads: string[]; purpose: string; visitType: string; sides: number };
}

const given = JSON.parse(readFileSync(0, "utf8")) as Fixtures;
let state = given.seed >>> 0 || 1;

/** A number below n (mulberry32). */
function below(n: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}

function check(ok: boolean, what: string): void {
  if (!ok) throw new Error(`seed ${given.seed}: ${what}`);
}

const letters = ["a", "b", "c", " ", "é", "🙂", "한"];

function words(most: number): string {
  return Array.from({ length: below(most + 1) }, () => letters[below(letters.length)]).join("");
}

function someSplice(text: string): Splice {
  const n = points(text), pos = below(n + 1);
  return { pos, del: below(Math.min(n - pos, 5) + 1), ins: words(4) };
}

function cborAgrees(): void {
  for (const hex of given.cbor) check(toHex(encode(decode(fromHex(hex)))) === hex, `cbor ${hex}`);
  for (const hex of given.refused) {
    let refused = false;
    try {
      decode(fromHex(hex));
    } catch {
      refused = true;
    }
    check(refused, `cbor ${hex} was taken`);
  }
  check(toHex(wordBytes("a\ud83d")) === "61eda0bd", "half a character is kept as it came");
}

async function framesAgree(): Promise<void> {
  for (const f of given.frames) {
    check(toHex(await unwrap(fromHex(f.wire))) === f.message, "a frame of Go's");
    check(toHex(await unwrap(await wrap(fromHex(f.message)))) === f.message, "a frame of our own");
  }
}

/** A P-256 key pair of its scalar and its point. */
async function pairOf(hex: string): Promise<CryptoKeyPair> {
  const [scalar, point] = hex.split(" ").map(fromHex) as [Uint8Array, Uint8Array];
  const text = (b: Uint8Array): string => Buffer.from(b).toString("base64url");
  const half = { kty: "EC", crv: "P-256", x: text(point.subarray(1, 33)), y: text(point.subarray(33)) };
  const use = { name: "ECDH", namedCurve: "P-256" };
  return {
    privateKey: await crypto.subtle.importKey("jwk", { ...half, d: text(scalar) }, use, true, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", half, use, true, []),
  };
}

/** Sealed outboxes are, byte for byte, those of the specification. */
async function outboxAgrees(): Promise<void> {
  const key = fromHex(given.outbox[0]!.key[0]!.split(" ")[1]!);
  const header = await headerOf({ borough: "testshire", device: "d1".repeat(16), user: "a1".repeat(16), key });
  check(given.outbox.map((v) => v.item.length).join() === "2,1", "the vectors of sealed outboxes have two items and one");
  for (const v of given.outbox) {
    const items = await Promise.all(v.item.map(async (item, i) =>
      sealItem(key, header, join(...item.split(" ").map(fromHex)), await pairOf(v.ephemeral[i]!))));
    check(toHex(join(header, ...items)) === v.hex[0], "a sealed outbox");
  }
  const note = given.outbox[1]!.item[0]!.split(" ")[2];
  check(toHex(noteBody("Seen at the door.", 1_764_000_000_000, 60)) === note, "what a note says");
  const [one, two] = [await sealItem(key, header, header), await sealItem(key, header, header)];
  check(toHex(one) !== toHex(two), "an item is sealed with a key that was used before");
}

function viewsAgree(): void {
  const v = viewOf(fromHex(given.view.encoded));
  check(v.kind === "visit" && v.heads.join() === given.view.heads.join(), "a view's kind and heads");
  check(v.fields["purpose"]?.text === given.view.purpose, "a view's text");
  check(v.fields["visit_type"]?.value === given.view.visitType, "a view's value");
  check(v.conflicts.length === 1 && v.conflicts[0]!.sides.length === given.view.sides, "a view's conflict");
}

/** Whatever two sides did to a text, both come to the same. */
function crossingConverges(): void {
  for (let i = 0; i < 20_000; i++) {
    const text = words(12);
    const lists = [0, 1].map(() => {
      let t = text;
      return Array.from({ length: 1 + below(3) }, () => {
        const s = someSplice(t);
        t = apply(t, s);
        return s;
      });
    }) as [Splice[], Splice[]];
    const [a, b] = cross(...lists);
    const one = b.reduce(apply, lists[0].reduce(apply, text));
    const two = a.reduce(apply, lists[1].reduce(apply, text));
    check(one === two, `${JSON.stringify(text)} ${JSON.stringify(lists)}: ${one} and ${two}`);
  }
  for (let i = 0; i < 5_000; i++) {
    const before = words(10), after = words(10), s = between(before, after);
    check(s ? apply(before, s) === after : before === after, "between");
  }
  check(moved(3, [{ pos: 1, del: 1, ins: "xyz" }]) === 5 && moved(1, [{ pos: 2, del: 0, ins: "x" }]) === 1, "a caret moves");
}

/** An engine that knows one text and fails now and then. */
class FakeEngine {
  text = "";
  fails = false;

  call(op: number, ...args: unknown[]): unknown {
    if (op === 24) return { result: this.text, effects: { rows: [], spare: [], notes: [] } };
    if (this.fails) throw new Refusal("storage", "full");
    const [, , , pos, del, ins] = args as [unknown, unknown, unknown, number, number, Uint8Array];
    check(pos + del <= points(this.text), "a position beyond the text");
    this.text = apply(this.text, { pos, del, ins: new TextDecoder().decode(ins) });
    return { result: null, effects: { rows: [], spare: [], notes: [note] } };
  }
}

const note: NoteEffect = { kind: 1, family: new Uint8Array(16), record: new Uint8Array(16), change: new Uint8Array(32), code: "", plain: "" };
const record = "0".repeat(32);

/** Two pages type into one text, colleagues' words come in, workers change, disks fill up. */
async function fieldsConverge(): Promise<void> {
  for (let round = 0; round < 150; round++) {
    const engine = new FakeEngine();
    const hearers = new Set<(m: Moved) => void>();
    const later: (() => void)[] = [];
    let texts = new Texts((m) => later.push(() => hearers.forEach((h) => h(m))));
    const asked = <T>(make: () => T): Promise<T> => new Promise((done, failed) => later.push(() => {
      try {
        const value = make();
        texts.changed(engine as unknown as Engine, [note]);
        later.push(() => done(value));
      } catch (e) {
        later.push(() => failed(e));
      }
    }));
    const open = (): Promise<TextField> => TextField.open({
      open: () => asked(() => texts.open(engine as unknown as Engine, record, { field: "purpose" })),
      type: (t) => asked(() => void texts.type(engine as unknown as Engine, structuredClone(t))),
      close: () => Promise.resolve(),
      onMoved: (h) => (hearers.add(h), () => void hearers.delete(h)),
    });
    // One message is one task of its own: what waits for it goes on before the next.
    const deliver = async (): Promise<void> => {
      later.shift()?.();
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    };
    const settle = async (): Promise<void> => {
      for (let idle = 0; idle < 20; idle++) {
        if (later.length > 0) idle = 0;
        await deliver();
      }
    };
    const opening = [open(), open()];
    await settle();
    const fields = await Promise.all(opening);
    for (let step = 0; step < 60; step++) {
      const field = fields[below(2)]!;
      const what = below(20);
      if (what < 12) void field.input(apply(field.value, someSplice(field.value))).catch(() => undefined);
      else if (what < 14) {
        engine.text = apply(engine.text, someSplice(engine.text)); // a colleague's words
        texts.changed(engine as unknown as Engine, [note]);
      } else if (what === 14) texts = new Texts((m) => later.push(() => hearers.forEach((h) => h(m)))); // another worker
      else if (what === 15) engine.fails = !engine.fails;
      else {
        for (let n = below(6); n > 0; n--) await deliver();
      }
    }
    engine.fails = false;
    await settle();
    for (const field of fields) {
      void field.input(field.value + "."); // goes with the next call that works
      await settle();
      void field.input(field.value + "!");
      await settle();
    }
    texts.changed(engine as unknown as Engine, [note]);
    await settle();
    for (const field of fields) {
      check(field.unsaved === 0, `round ${round}: ${field.unsaved} keystrokes are not saved`);
      void field.input(field.value + "?");
      await settle();
    }
    for (const f of fields) check(f.value === engine.text, `round ${round}: a page shows ${JSON.stringify(f.value)}, kept is ${JSON.stringify(engine.text)}`);
  }
}

cborAgrees();
await framesAgree();
viewsAgree();
await outboxAgrees();
crossingConverges();
await fieldsConverge();
console.log("agreed");
