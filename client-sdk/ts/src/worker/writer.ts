/** What pages can ask for, carried out in the one worker that writes. */
import type { Credential, Enrolment, Note, NoteKind, OpenState, SealedWork, Session, StorageState, SyncReport, Unlock } from "../client";
import { fromHex, toHex } from "../ids";
import { Refusal } from "../refusal";
import type { TypedSplice } from "../textfield";
import type { Capture, Edit, Path, Sketch, Splice, Value } from "../types";
import { attributionOf, familiesOf, idsOf, kindsOf, marksOf, outboxOf, problemsOf, recordsOf, statusOf, viewOf } from "./decode";
import { Device, nothing, type Ears } from "./device";
import { captureValue, chance, idBytes, opValue, pathValue, spliceValues, timeValue } from "./encode";
import { Engine, Op, type NoteEffect, type Row } from "./engine";
import { Notebook } from "./notebook";
import { sealedWork, type OutboxPlace } from "./outbox";
import { rememberedIn, rememberedKey, rememberedRow } from "./remembered";
import { sketchKey, sketchRow } from "./sketches";
import { Syncer } from "./sync";
import { Texts } from "./texts";
import { Transport, unreached } from "./transport";
import { Vault, type Keys } from "./vault";

export interface Config {
  wasm: string;
  server: string;
  name: string;
}

/** Tells every page of an event. */
export type Tell = (event: string, value: unknown) => void;

const fullFrom = 0.8;
const accessEnded = 67; // SPEC 11

/** Calls that may be made a second time where it is not known whether the first took effect. */
export function repeatable(method: string, args: unknown): boolean {
  if (method === "edit") return (args as Edit).ops.every((o) => o.op === "set" || o.op === "add" || o.op === "remove");
  return !["type", "reoffer", "enrol", "unlock", "signIn", "stepUp", "api"].includes(method);
}

export class Writer implements Ears {
  readonly #module: Promise<WebAssembly.Module>;
  /** An engine that was started before anybody could ask for one: while a PIN is typed. */
  #ready: Promise<Engine> | undefined;
  readonly #texts = new Texts((m) => this.tell("text", m));
  readonly #transport: Transport;
  #device: Device | undefined;
  #syncer: Syncer | undefined;
  #ended = false;
  /** Of the locked store that notes are written in. */
  #notebook: { place: OutboxPlace; book: Promise<Notebook> } | undefined;

  private constructor(
    readonly config: Config, readonly vault: Vault, readonly folder: FileSystemDirectoryHandle | undefined,
    readonly tell: Tell, readonly share: (keys: Keys | undefined) => void, readonly onFenced: () => void,
  ) {
    this.#module = WebAssembly.compileStreaming(fetch(config.wasm));
    this.#ready = this.#module.then((m) => Engine.start(m));
    this.#ready.catch(() => undefined); // whoever needs it hears
    this.#transport = new Transport(config.server, async (t) => {
      await this.#device?.keepTokens(t);
      this.tell("session", t?.who);
      await this.#noticeEnd(t?.who.custodyOnly ?? false);
    });
  }

  /** keys are those of the worker that wrote before, if it had an open store. */
  static async begin(config: Config, tell: Tell, hooks: { share(keys: Keys | undefined): void; fenced(): void }, keys?: Keys): Promise<Writer> {
    const folder = await privateFolder(config.name);
    const vault = await Vault.open(config.name, folder);
    const writer = new Writer(config, vault, folder, tell, hooks.share, hooks.fenced);
    if (keys) await writer.#open(keys);
    else writer.tellState();
    return writer;
  }

  /** Tells where things stand. */
  tellState(): void {
    this.tell("state", this.#state());
    this.tell("session", this.#transport.session);
  }

  end(): void {
    void this.#closeNotebook();
    this.#syncer?.end();
    this.#device?.close();
    this.vault.close();
  }

  /** Carries out one call of a page. */
  async call(method: string, args: unknown): Promise<unknown> {
    const handler = (this as unknown as { [m: string]: ((args: unknown) => unknown) | undefined })["on_" + method];
    if (!handler) throw new Refusal("method", "", method);
    return handler.call(this, args);
  }

  // The calls; each is named after the method of Client that makes it.

  on_people() { return this.vault.people(); }

  on_about() { return this.#transport.about(); }

  on_beginOpenID(a: { redirect: string; fresh: boolean }) { return this.#transport.beginOpenID(a.redirect, a.fresh); }

  async on_enrol(e: Enrolment): Promise<Session> {
    const keys = await this.vault.begin(e.login, e.unlock);
    await this.#open(keys);
    const { pinned, ...told } = await this.#transport.enrol(e.credential, e.code, e.name);
    await this.#device!.enrolled(pinned);
    await this.vault.enrolled(keys.store, e.unlock, pinned, told);
    await this.#reopen(keys);
    return this.#transport.session!;
  }

  async on_unlock(a: { store: string; unlock: Unlock; credential?: Credential }): Promise<void> {
    const lapsed = this.vault.people().find((p) => p.store === a.store)?.lapsed;
    if (lapsed && a.credential) await this.vault.renew(a.store, await this.#transport.share(a.credential, this.vault.deviceOf(a.store)));
    const keys = await this.vault.unlock(a.store, a.unlock);
    await this.#open(keys);
    if (a.credential && "password" in a.credential) await this.on_signIn(a.credential);
  }

  async on_lock(): Promise<void> {
    await this.on_rest();
    this.#close();
    this.share(undefined);
    this.tellState();
  }

  async on_signIn(c: Credential): Promise<Session> {
    const session = await this.#transport.signIn(c, this.#opened.pinned!.device);
    this.#syncer!.plan(0);
    return session;
  }

  on_signOut() { return this.#transport.signOut(); }

  on_stepUp(c: Credential) { return this.#transport.stepUp(c); }

  async on_api(a: { method: string; path: string; body?: unknown; request?: string }) {
    const reached = await this.#syncer?.wordsFirst() ?? true;
    if (!reached && a.method === "GET") throw unreached(); // nor would this reach it, and it would be in the way of what comes next
    return this.#transport.api(a.method, a.path, a.body, a.request);
  }

  async on_kinds() { return kindsOf(await this.#opened.look(Op.kinds)); }

  async on_families() { return familiesOf(await this.#opened.look(Op.families)); }

  async on_records(a: { family: string }) { return recordsOf(await this.#opened.look(Op.records, idBytes(a.family)), a.family); }

  async on_views(a: { family: string }) { return (await this.#opened.lookAtLeisure(Op.views, idBytes(a.family)) as Value[]).map(viewOf); }

  async on_digests(a: { family: string }) {
    const list = await this.#opened.lookAtLeisure(Op.digests, idBytes(a.family)) as [Uint8Array, Uint8Array][];
    return Object.fromEntries(list.map(([record, sum]) => [toHex(record), toHex(sum)]));
  }

  async on_view(a: { record: string }) { return viewOf(await this.#opened.look(Op.view, idBytes(a.record))); }

  async on_viewAt(a: { record: string; heads: string[] }) {
    return viewOf(await this.#opened.look(Op.viewAt, idBytes(a.record), a.heads.map(idBytes)));
  }

  async on_attribution(a: { record: string; heads?: string[] }) {
    const who = await this.#opened.look(Op.authors, idBytes(a.record), a.heads ? a.heads.map(idBytes) : null);
    return attributionOf(who, this.#opened.pinned!.device);
  }

  async on_heads(a: { record: string }) { return idsOf(await this.#opened.look(Op.heads, idBytes(a.record))); }

  async on_contentHash(a: { record: string }) { return await this.#opened.look(Op.content, idBytes(a.record)); }

  async on_status(a: { record: string }) { return statusOf(await this.#opened.look(Op.status, idBytes(a.record))); }

  async on_outbox() { return outboxOf(await this.#opened.look(Op.outbox)); }

  async on_marks() { return marksOf(await this.#opened.look(Op.marks)); }

  async on_problems(a: { record: string }) { return problemsOf(await this.#opened.look(Op.problems, idBytes(a.record), Date.now())); }

  async on_exportChange(a: { change: string }) {
    const [prev, body] = await this.#opened.look(Op.exportChange, idBytes(a.change)) as [Uint8Array, Uint8Array];
    return { prev: toHex(prev), body };
  }

  async on_edit(e: Edit): Promise<string> {
    const gone: Row[] = e.sketch === undefined ? [] : [[await sketchKey(e.record, e.sketch), null]];
    const { result } = await this.#opened.run((engine) => {
      const done = engine.call(
        Op.edit, timeValue(), idBytes(e.record), idBytes(e.family), e.kind ?? "", captureValue(e.capture), chance(), e.ops.map(opValue));
      done.effects.rows.push(...gone);
      done.effects.spare.push(...gone);
      return done;
    });
    return toHex(result as Uint8Array);
  }

  async on_sketch(s: Sketch): Promise<void> { await this.#opened.keep(await sketchRow(s)); }

  async on_dropSketch(a: { record: string; name: string }): Promise<void> {
    await this.#opened.keep([await sketchKey(a.record, a.name), null]);
  }

  async on_remember(a: { name: string; value: unknown }): Promise<void> {
    const [key, value] = await rememberedRow(a.name, a.value);
    await this.#opened.keep([key, value], false);
  }

  async on_recall(a: { name: string }) { return rememberedIn(this.#opened.ownRow(await rememberedKey(a.name))); }

  /** After the calls before it: what was just kept is no sketch any more. */
  async on_sketches(a: { record: string }): Promise<Sketch[]> {
    await sketchKey(a.record, ""); // as long as the others take before they queue
    await this.#opened.run(() => ({ result: null, effects: nothing }));
    return this.#opened.sketches(fromHex(a.record));
  }

  async on_type(a: { record: string; path: Path; splice: Splice; capture: Capture }): Promise<void> {
    await this.#opened.call(
      Op.type, timeValue(), idBytes(a.record), pathValue(a.path), ...spliceValues(a.splice), captureValue(a.capture), chance());
  }

  async on_openText(a: { record: string; path: Path }) {
    let opened: { session: string; text: string } | undefined;
    await this.#opened.run((engine) => {
      opened = this.#texts.open(engine, a.record, a.path);
      return { result: null, effects: nothing };
    });
    return opened;
  }

  async on_typeText(t: TypedSplice): Promise<void> {
    await this.#opened.run((engine) => this.#texts.type(engine, t));
  }

  on_closeText(a: { session: string }): void { this.#texts.close(a.session); }

  async on_save(a: { record: string }): Promise<void> { await this.#opened.call(Op.save, idBytes(a.record)); }

  async on_reoffer(a: { record: string }): Promise<string> {
    const { result } = await this.#opened.call(Op.reoffer, timeValue(), idBytes(a.record), chance());
    return toHex(result as Uint8Array);
  }

  async on_sync(): Promise<SyncReport> {
    const syncer = this.#syncer;
    if (!syncer) throw locked();
    const typed = await this.#opened.look(Op.sketches) as [Uint8Array, Value][];
    for (const [record] of typed) await this.#opened.call(Op.save, record);
    return syncer.sync();
  }

  on_nudge(): void { this.#syncer?.nudge(); }

  async on_rest(): Promise<void> {
    if (this.#device?.pinned) await this.#device.rest();
  }

  async on_sealed(a: { store: string }): Promise<SealedWork> {
    await this.#closeNotebook();
    return sealedWork(this.#place(a.store));
  }

  async on_writeNote(a: { store: string; note: string; text: string }): Promise<void> {
    const place = this.#place(a.store);
    if (place.open) throw new Refusal("bad_value", "This tablet is open: write in the record.");
    if (this.#notebook?.place.store !== a.store) {
      await this.#closeNotebook();
      this.#notebook ??= { place, book: Notebook.open(place) };
    }
    await (await this.#notebook.book).write(a.note, a.text);
  }

  #place(store: string): OutboxPlace {
    return { name: this.config.name, store, folder: this.folder, to: this.vault.sealTo(store), open: this.#device?.parts.keys.store === store };
  }

  async #closeNotebook(): Promise<void> {
    const open = this.#notebook;
    this.#notebook = undefined;
    await open?.book.then((b) => b.close(), () => undefined);
  }

  async on_storage(): Promise<StorageState> {
    const { usage = 0, quota = 0 } = await navigator.storage?.estimate?.() ?? {};
    const state = {
      persisted: await navigator.storage?.persisted?.() ?? false, usage, quota, low: quota > 0 && usage > fullFrom * quota,
      spare: this.#device?.spareUpToDate ?? false,
    };
    this.tell("storage", state);
    return state;
  }

  // What the device tells.

  changed(engine: Parameters<Ears["changed"]>[0], notes: NoteEffect[]): void { this.#texts.changed(engine, notes); }

  notes(notes: NoteEffect[]): void {
    for (const n of notes) {
      this.tell("note", {
        kind: noteKinds[n.kind] ?? "other", family: toHex(n.family), record: toHex(n.record), change: toHex(n.change), code: n.code, plain: n.plain,
      } satisfies Note);
    }
  }

  plan(afterMS: number): void { this.#syncer?.plan(afterMS); }

  recovered(r: { why: string; changes: number; drafts: number }): void { this.tell("recovered", r); }

  dropped(): void { this.#texts.forget(); }

  fenced(): void { this.onFenced(); }

  sealed(store: string, all: boolean): void {
    void this.vault.noteSealed(store, all).catch((e: unknown) => this.fault("vault", String(e)));
  }

  fault(code: string, plain: string): void { this.tell("fault", { code, plain }); }

  /** Tells, once, that the person's access from this device has ended. */
  async #noticeEnd(ended: boolean): Promise<void> {
    const first = ended && !this.#ended;
    this.#ended = ended;
    if (!first || !this.#device?.pinned) return;
    const [code, plain] = await this.#device.look(Op.code, accessEnded) as [string, string];
    this.tell("note", { kind: "access_ended", family: "", record: "", change: "", code, plain } satisfies Note);
  }

  get #opened(): Device {
    if (!this.#device?.pinned) throw locked();
    return this.#device;
  }

  #state(): OpenState {
    if (this.#device?.pinned) return "open";
    const people = this.vault.people();
    if (people.length === 0) return "empty";
    return people.every((p) => p.lapsed) ? "lapsed" : "locked";
  }

  async #open(keys: Keys): Promise<void> {
    this.#close();
    await this.#closeNotebook();
    this.#device = await Device.open({ name: this.config.name, keys, engine: () => this.#engine(), folder: this.folder, sealTo: this.vault.sealTo(keys.store) }, this);
    this.#transport.use(keys, this.#device.tokens, this.#device.pinned);
    if (!this.#device.pinned) return;
    this.share(keys);
    this.#syncer = new Syncer(this.#device, this.#transport, (r) => {
      if (!r.refusal) void this.vault.touch(keys.store).catch((e: unknown) => this.fault("vault", String(e)));
      this.tell("sync", r);
    });
    this.#syncer.plan(0);
    this.tellState();
  }

  #engine(): Promise<Engine> {
    const ready = this.#ready ?? this.#module.then((m) => Engine.start(m));
    this.#ready = undefined;
    return ready;
  }

  /** Opens the store of somebody who has just enrolled: it has an identity now. */
  #reopen(keys: Keys): Promise<void> { return this.#open(keys); }

  #close(): void {
    this.#syncer?.end();
    this.#device?.close();
    this.#texts.forget();
    this.#transport.use(undefined, undefined, undefined);
    this.#device = this.#syncer = undefined;
  }
}

const noteKinds: { [n: number]: NoteKind } = {
  1: "record", 2: "conflict", 3: "received", 4: "held", 5: "quarantined", 6: "late", 7: "refused", 8: "granted", 9: "leaving",
  10: "purged", 11: "forked", 12: "epoch", 13: "sign_in", 14: "update", 15: "clock", 16: "lost", 17: "kept_here", 23: "erased",
  24: "restored", 25: "rewritten", 26: "access_ended",
};

function locked(): Refusal {
  return new Refusal("locked", "Unlock first.");
}

/** A folder of this installation in the origin's private files; undefined where there are none. */
async function privateFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
  } catch {
    return undefined;
  }
}
