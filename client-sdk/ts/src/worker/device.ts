/**
 * One person's engine with its store: carries out effects in order, and tells
 * callers of success only when their words are on disk. Calls that wait together
 * are stored together.
 */
import type { Recovered } from "../client";
import { decode, encode } from "../cbor";
import { fromHex, toHex } from "../ids";
import { interrupted, Refusal } from "../refusal";
import type { Sketch, Value } from "../types";
import { familiesOf } from "./decode";
import { chance, timeValue } from "./encode";
import { Engine, EngineFailure, Op, RowsFailure, type Effects, type NoteEffect, type Row } from "./engine";
import { Outbox, outboxName } from "./outbox";
import { Fenced, RowStore, type Loaded } from "./rowstore";
import { random } from "./seal";
import { carryOut, isOf, isSketch, sketchOf } from "./sketches";
import { Sealer, type SealTo } from "./sealed";
import { Spare, sealedBy, summed, type SpareContent } from "./spare";
import { sign, type Pinned, type Tokens } from "./transport";
import type { Keys } from "./vault";

/** What a device is made of. */
export interface Parts {
  name: string;
  keys: Keys;
  /** Starts an engine. */
  engine: () => Promise<Engine>;
  folder: FileSystemDirectoryHandle | undefined;
  /** To whom unsent work is sealed as well; undefined: the borough has no recovery key. */
  sealTo: SealTo | undefined;
}

/** What a device tells its owner. */
export interface Ears {
  /** Called right after each call of the engine, before anything else is done with it. */
  changed(engine: Engine, notes: NoteEffect[]): void;
  notes(notes: NoteEffect[]): void;
  plan(afterMS: number): void;
  recovered(r: Recovered): void;
  /** The engine is gone, and what it had taken in since the last write: texts are not open any more. */
  dropped(): void;
  /** Another worker writes now. */
  fenced(): void;
  /** Whether all that is unsent is sealed to the borough too. */
  sealed(store: string, all: boolean): void;
  fault(code: string, detail: string): void;
}

/** What a call gave, once it is on disk. */
export interface Outcome {
  result: Value;
  effects: Effects;
}

interface Job {
  run(engine: Engine): Outcome;
  done(o: Outcome): void;
  failed(e: unknown): void;
}

const own = 0x44; // the driver's rows begin with a D, which no row of the engine does
const identityKey = Uint8Array.of(own, 0x69), sessionKey = Uint8Array.of(own, 0x73);
const loadBytes = 1 << 20;

/** Notes of the engine. */
const leavingNote = 9, erasedNote = 23;

/** Nothing was stored and nothing was changed. */
export const nothing: Effects = { rows: [], spare: [], notes: [] };

export class Device {
  readonly #store: RowStore;
  #spare: Spare | undefined;
  #outbox: Outbox | undefined;
  /** The second copy of the sealed outbox. */
  #outboxSpare: Spare | undefined;
  #engine: Engine | undefined;
  #writes = 0;
  #queue: Job[] = [];
  /** Calls that take long and hold nobody up: each is made when nothing else waits. */
  #patient: Job[] = [];
  #working = false;
  #closed = false;
  #own = new Map<string, Uint8Array>();

  private constructor(readonly parts: Parts, readonly ears: Ears) {
    this.#store = new RowStore(`${parts.name}-${parts.keys.store}`, parts.keys.rows);
  }

  static async open(parts: Parts, ears: Ears): Promise<Device> {
    const device = new Device(parts, ears);
    let content: SpareContent | undefined, sealed: SpareContent | undefined;
    if (parts.folder) {
      try {
        const opened = await Spare.open(parts.folder, parts.keys.store, sealedBy(parts.keys.rows));
        [device.#spare, content] = [opened.spare, opened.content];
        const outbox = await Spare.open(parts.folder, outboxName(parts.keys.store), summed);
        [device.#outboxSpare, sealed] = [outbox.spare, outbox.content];
      } catch (e) {
        ears.fault("spare", String(e));
      }
    }
    await device.#begin(content, sealed?.rows ?? []);
    return device;
  }

  /** Who this is, or undefined before enrolment. */
  get pinned(): Pinned | undefined {
    const row = this.#own.get(toHex(identityKey));
    if (!row) return undefined;
    const [borough, user, device, replyKey, checkpointKey] = decode(row) as string[];
    return { borough: borough!, user: user!, device: device!, replyKey: replyKey!, checkpointKey: checkpointKey! };
  }

  get tokens(): Tokens | undefined {
    const row = this.#own.get(toHex(sessionKey));
    return row && JSON.parse(decode(row) as string) as Tokens;
  }

  get spareUpToDate(): boolean { return this.#spare?.upToDate ?? false; }

  /** Keeps who this is, and starts the engine. */
  async enrolled(p: Pinned): Promise<void> {
    await this.keep([identityKey, encode([p.borough, p.user, p.device, p.replyKey, p.checkpointKey])]);
  }

  async keepTokens(t: Tokens | undefined): Promise<void> {
    await this.keep([sessionKey, t ? encode(JSON.stringify(t)) : null]);
  }

  /** Makes a call; fulfilled once what it stored is on disk. */
  call(op: number, ...args: Value[]): Promise<Outcome> {
    return this.run((engine) => engine.call(op, ...args));
  }

  /** Runs calls without a pause between them. */
  run(run: (engine: Engine) => Outcome): Promise<Outcome> {
    return new Promise((done, failed) => {
      this.#queue.push({ run, done, failed });
      void this.#work();
    });
  }

  /** What a call that changes nothing gives. */
  async look(op: number, ...args: Value[]): Promise<Value> {
    return (await this.call(op, ...args)).result;
  }

  /** look for what is much: whoever types or opens a text goes first. */
  async lookAtLeisure(op: number, ...args: Value[]): Promise<Value> {
    const outcome = new Promise<Outcome>((done, failed) => {
      this.#patient.push({ run: (engine) => engine.call(op, ...args), done, failed });
    });
    void this.#work();
    return (await outcome).result;
  }

  /** For a pause: the screen went dark. What is being typed is sealed to the borough at once. */
  async rest(): Promise<void> {
    this.#outbox?.hurry();
    await this.call(Op.rest);
    await this.run(() => ({ result: null, effects: nothing })); // it is its turn when all of that is sealed
  }

  close(): void {
    this.#closed = true;
    this.#outbox?.end();
    this.#store.close();
    this.#spare?.close();
    this.#outboxSpare?.close();
    for (const j of [...this.#queue.splice(0), ...this.#patient.splice(0)]) j.failed(interrupted());
  }

  /** Keeps a row of the driver's own; in the second copy too, unless the server could give it again. */
  async keep(row: Row, copied = true): Promise<void> {
    await this.run(() => ({ result: null, effects: { rows: [row], spare: copied ? [row] : [], notes: [] } }));
  }

  ownRow(key: Uint8Array): Uint8Array | undefined { return this.#own.get(toHex(key)); }

  /** What forms of a record were being filled in. */
  sketches(record: Uint8Array): Sketch[] {
    return this.#sketchRows().filter(([k]) => isOf(k, record)).map(([, v]) => sketchOf(v));
  }

  #sketchRows(): [Uint8Array, Uint8Array][] {
    return [...this.#own].map(([k, v]): [Uint8Array, Uint8Array] => [fromHex(k), v]).filter(([k]) => isSketch(k));
  }

  #take(key: Uint8Array, value: Uint8Array | null): void {
    if (value) this.#own.set(toHex(key), value);
    else this.#own.delete(toHex(key));
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      while (this.#queue.length + this.#patient.length > 0) {
        if (this.#queue.length === 0) await turn(); // answers leave, and what else was called comes in
        if (this.#closed) return;
        await this.#batch(this.#queue.length > 0 ? this.#queue.splice(0) : this.#patient.splice(0, 1));
      }
    } finally {
      this.#working = false;
    }
  }

  /** Runs calls that wait together, stores what they ask for, and answers them. */
  async #batch(jobs: Job[]): Promise<void> {
    const made: [Job, Outcome][] = [];
    try {
      if (!this.#engine && this.pinned) await this.#reload();
      for (const job of jobs) {
        const outcome = this.#make(job);
        if (outcome) made.push([job, outcome]);
      }
      await this.#keep(made.map(([, o]) => o.effects));
    } catch (e) {
      this.#engine = undefined; // it is ahead of the disk
      this.ears.dropped();
      const refusal = this.#refusal(e);
      for (const job of jobs) job.failed(refusal);
      return;
    }
    for (const [job, outcome] of made) {
      job.done(outcome);
      if (outcome.effects.after !== undefined) this.ears.plan(outcome.effects.after);
      if (outcome.effects.notes.length > 0) this.ears.notes(outcome.effects.notes);
    }
    await this.#sealOverdue();
  }

  /** Seals typing that is due. It is on the disk already: whoever typed it does not wait for this. */
  async #sealOverdue(): Promise<void> {
    const engine = this.#engine;
    if (!engine || this.#closed) return;
    try {
      const rows = await this.#sealed((outbox) => outbox.overdue(engine));
      if (rows.length > 0 && !this.#closed) await this.#write([], [], rows); // what is closed is sealed when it is opened
    } catch (e) {
      this.#engine = undefined;
      this.ears.dropped();
      this.#refusal(e);
    }
  }

  /** Makes one call; what the engine refuses is the caller's alone. */
  #make(job: Job): Outcome | undefined {
    try {
      const outcome = job.run(this.#engine!);
      if (this.#engine) this.ears.changed(this.#engine, outcome.effects.notes);
      return outcome;
    } catch (e) {
      if (e instanceof EngineFailure) throw e;
      job.failed(e instanceof RowsFailure ? new Refusal("malformed", "", e.message) : e);
      return undefined;
    }
  }

  /** Begins a request. What forms say of families that were closed becomes changes first: words go up before a purge. */
  sync(request: Uint8Array): Promise<Outcome> {
    return this.run((engine) => {
      const offered = this.#offerClosed(engine);
      const begun = engine.call(Op.sync, timeValue(), request);
      begun.effects.rows.unshift(...offered.rows);
      begun.effects.spare.unshift(...offered.spare);
      return begun;
    });
  }

  /** Takes in the server's reply. */
  reply(signed: Uint8Array): Promise<Outcome> {
    return this.run((engine) => {
      this.#await(engine);
      const done = engine.call(Op.reply, timeValue(), signed, chance());
      for (const n of done.effects.notes) if (n.kind === erasedNote) this.#forget(n.record, done.effects);
      if (done.effects.notes.some((n) => n.kind === leavingNote) && this.#sketchRows().length > 0) done.effects.after = 0;
      return done;
    });
  }

  /** Has no family purged of which somebody is filling in a form. */
  #await(engine: Engine): void {
    engine.call(Op.await, [...new Set(this.#sketchRows().map(([, v]) => sketchOf(v).family))].map(fromHex));
  }

  #offerClosed(engine: Engine): Effects {
    const out: Effects = { rows: [], spare: [], notes: [] }, rows = this.#sketchRows();
    if (rows.length === 0) return out;
    const open = new Set(familiesOf(engine.call(Op.families).result).filter((f) => f.standing !== "leaving").map((f) => f.family));
    for (const [key, row] of rows) {
      if (open.has(sketchOf(row).family)) continue;
      const made = carryOut(engine, Op.edit, row);
      out.rows.push(...made?.effects.rows ?? [], [key, null]);
      out.spare.push(...made?.effects.spare ?? [], [key, null]);
      this.#take(key, null);
    }
    return out;
  }

  /** Of what was erased no form stays. */
  #forget(record: Uint8Array, effects: Effects): void {
    for (const [key] of this.#sketchRows().filter(([k]) => isOf(k, record))) {
      effects.rows.push([key, null]);
      effects.spare.push([key, null]);
    }
  }

  async #keep(effects: Effects[]): Promise<void> {
    const rows = merged(effects), spare = effects.flatMap((e) => e.spare);
    const sealed = await this.#sealed((outbox) => outbox.follow(this.#engine, rows, spare));
    if (rows.length > 0 || sealed.length > 0) await this.#write(rows, spare, sealed);
  }

  async #write(rows: Row[], spare: Row[], sealed: Row[]): Promise<void> {
    const n = this.#writes + 1;
    await this.#store.apply(rows, sealed, n);
    this.#writes = n;
    for (const [k, v] of rows) if (k[0] === own) this.#take(k, v);
    if (rows.length > 0) await this.#spare?.apply(spare, n);
    if (sealed.length > 0) await this.#outboxSpare?.apply(sealed, n);
  }

  /** Rows of the sealed outbox. One that fails holds nobody up: it is told, and made anew when the store is opened. */
  async #sealed(make: (outbox: Outbox) => Promise<Row[]>): Promise<Row[]> {
    if (!this.#outbox) return [];
    try {
      return await make(this.#outbox);
    } catch (e) {
      if (e instanceof EngineFailure) throw e;
      this.ears.sealed(this.parts.keys.store, false);
      this.ears.fault("outbox", String(e));
      return [];
    }
  }

  /** Brings the sealed outbox, of which these rows are stored, in line with what is unsent. */
  async #seal(stored: Row[]): Promise<void> {
    const { sealTo, keys } = this.parts;
    if (!this.#engine || !sealTo) return;
    this.#outbox?.end();
    this.#outbox = new Outbox(new Sealer(sealTo, (m) => sign(keys.device, m)), () => void this.run(() => ({ result: null, effects: nothing })).catch(ignore));
        const engine = this.#engine;
    const rows = await this.#sealed((outbox) => outbox.renew(engine, stored.map(([k]) => k), this.#sketchRows()));
    if (rows.length > 0) await this.#write([], [], rows);
    await this.#outboxSpare?.begin([...stored, ...rows], this.#writes);
    this.ears.sealed(keys.store, true);
  }

  #refusal(e: unknown): Refusal {
    if (e instanceof Fenced) {
      this.ears.fenced();
      return interrupted("another tab writes now");
    }
    if (e instanceof EngineFailure) {
      this.ears.fault("engine", e.message);
      return interrupted(e.message);
    }
    const detail = e instanceof Error ? `${e.name}: ${e.message}` : "unknown";
    this.ears.fault("storage", detail);
    return new Refusal("storage", "This could not be kept on this device. Do not close the page: free some space, then type on.", detail);
  }

  /** Opens what is stored; from the second copy if the first is lost, damaged or behind. */
  async #begin(content: SpareContent | undefined, sealed: Row[]): Promise<void> {
    let loaded: Loaded = { rows: [], writes: 0, outbox: [] };
    let why: Recovered["why"] | undefined;
    try {
      loaded = await this.#store.load();
      if (content && content.writes > loaded.writes) why = loaded.rows.length === 0 ? "evicted" : "behind";
      if (!why) await this.#start(loaded);
    } catch (e) {
      if (e instanceof EngineFailure) throw e;
      if (!content) throw new Refusal("damaged", "What is on this tablet cannot be read. Tell IT before anything else is done with it.", String(e));
      why = "damaged";
    }
    if (why && content) await this.#recover(why, content, sealed);
  }

  async #start(loaded: Loaded): Promise<void> {
    this.#writes = loaded.writes;
    this.#takeOwn(loaded.rows);
    const rows = new Map(loaded.rows.map((r) => [toHex(r[0]), r]));
    if (this.pinned) {
      const { engine, effects } = await this.#load(loaded.rows, Op.start);
      await this.#keep([effects]);
      for (const r of effects.rows) rows.set(toHex(r[0]), r);
      this.#engine = engine;
      this.#tell(effects);
    }
    await this.#spare?.begin(await this.#forSpare([...rows.values()]), this.#writes);
    await this.#seal(loaded.outbox);
  }

  /** Fills an empty store from the second copy. */
  async #recover(why: Recovered["why"], content: SpareContent, sealed: Row[]): Promise<void> {
    await this.#store.destroy();
    this.#takeOwn(content.rows);
    this.#writes = content.writes;
    if (!this.pinned) {
      await this.#keep([{ ...nothing, rows: content.rows }]);
      return;
    }
    const { engine, effects, result } = await this.#load(content.rows, Op.startSpare);
    await this.#write(merged([{ ...nothing, rows: content.rows }, effects]), [...content.rows, ...effects.spare], sealed);
    this.#engine = engine;
    const [changes, drafts] = result as number[];
    this.ears.recovered({ why, changes: changes!, drafts: drafts! });
    this.#tell(effects);
    const after = await this.#store.load();
    await this.#spare?.begin(await this.#forSpare(after.rows), this.#writes);
    await this.#seal(after.outbox);
  }

  #tell(effects: Effects): void {
    if (effects.after !== undefined) this.ears.plan(effects.after);
    this.ears.notes(effects.notes);
  }

  /** The engine failed, or got ahead of the disk: begin again with what is stored. */
  async #reload(): Promise<void> {
    const loaded = await this.#store.load();
    this.#takeOwn(loaded.rows);
    const { engine, effects } = await this.#load(loaded.rows, Op.start);
    if (loaded.writes > this.#writes + 1) throw new Fenced("another worker wrote since");
    this.#writes = loaded.writes;
    await this.#keep([effects]);
    this.#engine = engine;
    this.#tell(effects);
    await this.#spare?.begin(await this.#forSpare(loaded.rows), this.#writes);
    await this.#seal(loaded.outbox);
  }

  async #load(rows: Row[], start: number): Promise<{ engine: Engine; effects: Effects; result: Value }> {
    const engine = await this.parts.engine();
    const p = this.pinned!;
    engine.call(Op.new, p.borough, fromHex(p.user), fromHex(p.device), random(16));
    let batch: Row[] = [], size = 0;
    const flush = (): void => {
      if (batch.length > 0) engine.call(Op.load, batch as unknown as Value);
      [batch, size] = [[], 0];
    };
    for (const r of rows) {
      if (r[0][0] === own) continue;
      batch.push(r);
      size += r[0].length + (r[1]?.length ?? 0);
      if (size > loadBytes) flush();
    }
    flush();
    this.#await(engine);
    const { result, effects } = engine.call(start);
    return { engine, effects, result };
  }

  /** Of all rows, those that a second copy needs. */
  async #forSpare(rows: Row[]): Promise<Row[]> {
    const mine = rows.filter(([k]) => k[0] === own);
    if (!this.#engine) return mine;
    const { result } = this.#engine.call(Op.spare, rows.filter(([k]) => k[0] !== own) as unknown as Value);
    return [...result as unknown as Row[], ...mine];
  }

  #takeOwn(rows: Row[]): void {
    this.#own.clear();
    for (const [k, v] of rows) if (k[0] === own && v) this.#own.set(toHex(k), v);
  }
}


/** Lets whatever waits for this worker's attention have it. */
function turn(): Promise<void> {
  return new Promise((done) => setTimeout(done));
}

/** What is to be stored: of several rows of one key, the last. */
function merged(effects: Effects[]): Row[] {
  const rows = new Map<string, Row>();
  for (const e of effects) for (const r of e.rows) rows.set(toHex(r[0]), r);
  return [...rows.values()];
}

function ignore(): void {
  // Whoever calls next hears of it.
}
