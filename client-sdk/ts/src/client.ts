import { interrupted, Refusal } from "./refusal";
import { TextField } from "./textfield";
import type { Answer, Call, Event as WorkerEvent, FromWorker } from "./worker/messages";
import type {
  Attribution, ChangeID, Edit, Family, FamilyID, Kind, Mark, Op, Outbox, Path, Problem, Reason, RecordID, RecordHeads,
  RecordSummary, Sketch, Splice, Status, View, Capture,
} from "./types";

/** Where the parts of this package are, and what it draws on. */
export interface ClientOptions {
  /** The URL of `worker.js` of this package, of the page's own origin. */
  worker: string | URL;
  /** The URL of `doorstep.wasm` of this package, of the page's own origin. */
  wasm: string | URL;
  /** The server's origin. Default: the page's own. */
  server?: string;
  /** Tells apart several installations of one origin. Default: "doorstep". */
  name?: string;
}

/**
 * `empty`: nobody is enrolled on this tablet. `locked`: somebody is, and must
 * unlock. `open`: unlocked; recording works, with or without a server.
 * `lapsed`: the offline lease ran out; sign in with the server to unlock.
 */
export type OpenState = "empty" | "locked" | "open" | "lapsed";

/** Somebody who has a store on this tablet. Their login is as they typed it. */
export interface Person {
  /** Names their store, at random. */
  store: string;
  login: string;
  unlock: "pin" | "passkey";
  /** The id of their passkey, for `usePasskey`. */
  passkey?: Uint8Array;
  lapsed: boolean;
  /** This browser has no private files to keep the server's share in: each unlocking needs the server. */
  asksAlways: boolean;
  /**
   * Too many wrong PINs: nothing opens this store any more. What was not sent is in
   * `Client.sealed`; the person enrols anew.
   */
  destroyed: boolean;
  /** Wrong PINs that are left until the key is destroyed; absent for a passkey. */
  triesLeft?: number;
}

/** A person's unsent work, sealed to the borough (SPEC 7.13). */
export interface SealedWork {
  /** How many changes and open drafts it holds. */
  items: number;
  /** What `doorstep recover` takes: two officers of the borough open it together. */
  file: Uint8Array;
}

/** A proof of who somebody is (SPEC 7.8). */
export type Credential =
  | { login: string; password: string }
  | { openid: { ticket: string; code: string; state: string; issuer?: string } }
  | { passkey: { ticket: string; answer: unknown } };

/**
 * What opens a person's store on this tablet: a PIN of six or more characters, or
 * 32 bytes that their passkey gave (`newPasskey`, `usePasskey`), with the id that it is
 * asked for by.
 */
export type Unlock = { pin: string } | { prf: Uint8Array; passkey: Uint8Array };

/** What a person gives to enrol. */
export interface Enrolment {
  /** Shown on the unlock screen; with a password it is the login. */
  login: string;
  credential: Credential;
  /** The enrolment code, as IT handed it out. */
  code: string;
  /** What the tablet is called in lists. */
  name: string;
  unlock: Unlock;
}

/** Who is signed in. */
export interface Session {
  user: string;
  name: string;
  role: string;
  device: string;
  signedInMS: number;
  /** The device was revoked: words go up, nothing comes down. */
  custodyOnly: boolean;
}

/** What `GET /v1/about` tells; more may come. */
export interface About {
  name: string;
  borough: string;
  time_ms: number;
  sign_in: string[];
  [more: string]: unknown;
}

export type NoteKind =
  | "record" | "conflict" | "received" | "held" | "quarantined" | "late" | "refused" | "granted" | "leaving" | "purged"
  | "forked" | "epoch" | "sign_in" | "update" | "clock" | "lost" | "kept_here" | "erased" | "restored" | "rewritten" | "access_ended" | "other";

/** A piece of news for the person at the device. It never holds content. */
export interface Note extends Reason {
  kind: NoteKind;
  family: FamilyID;
  record: RecordID;
  change: ChangeID;
}

/** What a sync did, or why it did not. */
export interface SyncReport {
  requests: number;
  bytesUp: number;
  bytesDown: number;
  /** Absent: everything was exchanged. Code `unavailable`: no server was reached. */
  refusal?: Reason;
}

/** How safe what is kept here is. */
export interface StorageState {
  /** The browser promised not to evict it. Do not start visits offline otherwise. */
  persisted: boolean;
  usage: number;
  quota: number;
  /** More than 80 % is used: photographs are refused, text goes on. */
  low: boolean;
  /** The second copy of unsent work is up to date. */
  spare: boolean;
}

/** What a second copy gave back after the first was lost or damaged. */
export interface Recovered {
  why: "damaged" | "evicted" | "behind";
  changes: number;
  drafts: number;
}

/** What can be listened for. */
export interface ClientEvents {
  note: Note;
  /** A record's view or status changed, by whatever tab or device. */
  record: { family: FamilyID; record: RecordID };
  state: OpenState;
  session: Session | undefined;
  sync: SyncReport;
  storage: StorageState;
  recovered: Recovered;
  /** This tab became the one that writes. Nothing needs to be done. */
  writer: undefined;
  /** Something is wrong with this installation. Words already saved are safe. */
  fault: Reason;
}

type Listener<K extends keyof ClientEvents> = (event: ClientEvents[K]) => void;

/** One page's way to the device. */
export class Client {
  readonly #worker: Worker;
  readonly #listeners = new Map<string, Set<(event: never) => void>>();
  readonly #waiting = new Map<number, { done: (v: never) => void; failed: (e: Refusal) => void }>();
  #next = 1;
  #state: OpenState = "empty";
  #session: Session | undefined;

  private constructor(options: ClientOptions) {
    this.#worker = new Worker(trusted(options.worker) as string, { type: "module", name: "doorstep" });
    this.#worker.onmessage = (e: MessageEvent<FromWorker>) => this.#hear(e.data);
    this.#worker.onerror = (e) => {
      e.preventDefault();
      this.#tell("fault", { code: "worker", plain: "This page could not be started. Close it and open it again." });
      for (const w of this.#waiting.values()) w.failed(interrupted());
      this.#waiting.clear();
    };
  }

  /**
   * Starts the worker. It fails with `unsupported` where something is missing that
   * no word may be recorded without (IndexedDB, private mode, Web Locks, WebCrypto).
   */
  static async open(options: ClientOptions): Promise<Client> {
    const client = new Client(options);
    // A page that a browser keeps frozen for the way back to it would keep the writer's lock as well.
    addEventListener("pagehide", (e) => { if ((e as PageTransitionEvent).persisted) client.close(); });
    addEventListener("pageshow", (e) => { if ((e as PageTransitionEvent).persisted) location.reload(); });
    await client.#call("begin", {
      wasm: new URL(options.wasm, location.href).href,
      server: new URL(options.server ?? location.origin).origin,
      name: options.name ?? "doorstep",
    });
    const persisted = await navigator.storage?.persist?.().catch(() => false);
    if (persisted) await client.storage();
    addEventListener("online", () => void client.#call("nudge", null).catch(ignore));
    document.addEventListener("visibilitychange", () => {
      void client.#call(document.visibilityState === "visible" ? "nudge" : "rest", null).catch(ignore);
    });
    return client;
  }

  get state(): OpenState { return this.#state; }

  get session(): Session | undefined { return this.#session; }

  /** Calls fn with each event until the function that is returned is called. */
  on<K extends keyof ClientEvents>(event: K, fn: Listener<K>): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(fn as (event: never) => void);
    return () => void set.delete(fn as (event: never) => void);
  }

  /** Who has a store on this tablet. */
  people(): Promise<Person[]> { return this.#call("people", null); }

  /** What the server says of itself; needs no sign-in. */
  about(): Promise<About> { return this.#call("about", null); }

  /**
   * Begins to sign in with the borough's own sign-in service (OpenID Connect; the server
   * holds the secret of its proof, PKCE). Send the page to `url`; keep `ticket` until the
   * service sends it back to `redirect`, which the borough has to have configured. What it
   * comes back with is a credential, for one use. fresh has the person prove anew who they
   * are. Fails with `not_found` where there is no such service.
   */
  beginOpenID(redirect: string, fresh = false): Promise<{ url: string; ticket: string }> { return this.#call("beginOpenID", { redirect, fresh }); }

  /**
   * Enrols somebody on this tablet, signs them in and opens their store. Safe to
   * call again after any failure.
   */
  enrol(enrolment: Enrolment): Promise<Session> { return this.#call("enrol", enrolment); }

  /**
   * Opens a person's store. It fails with `wrong_secret`, `destroyed`, or `lapsed`:
   * then give a credential too, with the server in reach. A credential is for one use:
   * with a password the person is signed in as well.
   */
  unlock(store: string, unlock: Unlock, credential?: Credential): Promise<void> {
    return this.#call("unlock", { store, unlock, credential });
  }

  /** Forgets the key. Words that were not sent stay, encrypted. */
  lock(): Promise<void> { return this.#call("lock", null); }

  /** What somebody has not sent, for the borough's officers. It needs no unlocking. */
  sealed(store: string): Promise<SealedWork> { return this.#call("sealed", { store }); }

  /**
   * Keeps a note of somebody whose store is locked, or has lapsed: sealed to the borough,
   * and not to be read on this tablet again. Call it with each keystroke, with all that the
   * note says; note is an id of the page's own (`newID`). Fulfilled once it is on disk.
   * It comes back by `sealed` and two officers. Fails with `unsupported` where the borough
   * has no recovery key.
   */
  writeNote(store: string, note: string, text: string): Promise<void> { return this.#call("writeNote", { store, note, text }); }

  /** Begins a session of the person whose store is open. */
  signIn(credential: Credential): Promise<Session> { return this.#call("signIn", credential); }

  /** Ends the session with the server. Not before words are sent: nobody may need to come back for them. */
  signOut(): Promise<void> { return this.#call("signOut", null); }

  /** Proves anew who the person is, before what is sworn or sealed. */
  stepUp(credential: Credential): Promise<void> { return this.#call("stepUp", credential); }

  /**
   * Calls the server's JSON API as the person signed in; see `GET /v1/openapi.json`. What is posted is carried out
   * once, even if its answer is lost and it is sent again. Whoever wants to try again later gives the same `request`:
   * 32 hex digits, drawn once.
   */
  api<T = unknown>(method: "GET" | "POST", path: string, body?: unknown, request?: string): Promise<T> {
    return this.#call("api", { method, path, body, request });
  }

  /** Every record kind, to draw forms from. */
  kinds(): Promise<Kind[]> { return this.#call("kinds", null); }

  families(): Promise<Family[]> { return this.#call("families", null); }

  /** A family's records that have content here. */
  records(family: FamilyID): Promise<RecordSummary[]> { return this.#call("records", { family }); }

  /** Every record of a family that can be shown, in one answer. */
  views(family: FamilyID): Promise<View[]> { return this.#call("views", { family }); }

  /**
   * For each record of a family the SHA-256 of its fold, without open typing: equal on
   * all devices that hold the same changes, and on the server.
   */
  digests(family: FamilyID): Promise<{ [record: RecordID]: string }> { return this.#call("digests", { family }); }

  /** What a person sees of a record, words not sent and open typing included. */
  view(record: RecordID): Promise<View> { return this.#call("view", { record }); }

  /** A record as it was at a version. */
  viewAt(record: RecordID, heads: ChangeID[]): Promise<View> { return this.#call("viewAt", { record, heads }); }

  /** Who wrote which words; without heads, of everything that counts here. */
  attribution(record: RecordID, heads?: ChangeID[]): Promise<Attribution> { return this.#call("attribution", { record, heads }); }

  /**
   * Keeps a value of the app's own in the person's store, sealed like their records, for
   * when there is no server: JSON of some kilobytes; undefined forgets it. It goes with
   * the store, and not with a family: put nothing in it that must be gone with a purge.
   */
  remember(name: string, value: unknown): Promise<void> { return this.#call("remember", { name, value }); }

  /** What was remembered under a name; undefined: nothing. */
  recall<T>(name: string): Promise<T | undefined> { return this.#call("recall", { name }); }

  /** The version that a confirmation names. Save first: typing is not part of it. */
  heads(record: RecordID): Promise<ChangeID[]> { return this.#call("heads", { record }); }

  /**
   * The hash of what a record says as it is shown, which signatures and copies are for. A
   * further signature leaves it as it is; any other change makes it another.
   */
  contentHash(record: RecordID): Promise<Uint8Array> { return this.#call("contentHash", { record }); }

  status(record: RecordID): Promise<Status> { return this.#call("status", { record }); }

  outbox(): Promise<Outbox> { return this.#call("outbox", null); }

  marks(): Promise<Mark[]> { return this.#call("marks", null); }

  /** What still keeps a record from being final, as far as this device can tell. */
  problems(record: RecordID): Promise<Problem[]> { return this.#call("problems", { record }); }

  /** An own change as it was signed, to hand to IT. */
  exportChange(change: ChangeID): Promise<{ prev: ChangeID; body: Uint8Array }> { return this.#call("exportChange", { change }); }

  /** Records a step. Fulfilled with the id of the (last) change once it is on disk. */
  edit(edit: Edit): Promise<ChangeID> { return this.#call("edit", edit); }

  /**
   * Keeps what a form says that somebody is still filling in: call it with each keystroke.
   * Fulfilled once it is on disk, in place of what it said before; within a quarter of a
   * second it is sealed to the borough as well. An `edit` that names it takes it away. If
   * access to the family ends first, it is offered as that edit.
   */
  sketch(sketch: Sketch): Promise<void> { return this.#call("sketch", sketch); }

  /** Takes a sketch away: the form was left. */
  dropSketch(record: RecordID, name: string): Promise<void> { return this.#call("dropSketch", { record, name }); }

  /** What forms of a record were being filled in, if need be before the page was ended. */
  sketches(record: RecordID): Promise<Sketch[]> { return this.#call("sketches", { record }); }

  /** `edit` with the steps alone, of a record that exists. */
  apply(record: RecordID, ...ops: Op[]): Promise<ChangeID> { return this.edit({ record, ops }); }

  /** Takes in a keystroke, in code points of the text as the view shows it. Prefer `text`. */
  type(record: RecordID, path: Path, splice: Splice, capture: Capture = "typed"): Promise<void> {
    return this.#call("type", { record, path, splice, capture });
  }

  /**
   * Opens a merged text (or a part of an element) for typing: it follows what
   * others write meanwhile, so that no position is ever stale.
   */
  async text(record: RecordID, path: Path): Promise<TextField> {
    return TextField.open({
      open: () => this.#call("openText", { record, path }),
      type: (t) => this.#call("typeText", t),
      close: (session) => this.#call("closeText", { session }),
      onMoved: (fn) => this.#listen("text", fn),
    });
  }

  /** Turns typing in a record into a change now, not at the next pause. */
  save(record: RecordID): Promise<void> { return this.#call("save", { record }); }

  /** Offers refused or quarantined words once more. */
  reoffer(record: RecordID): Promise<ChangeID> { return this.#call("reoffer", { record }); }

  /** Exchanges with the server until neither side has more to say. What is being typed goes with it, as after save. */
  sync(): Promise<SyncReport> { return this.#call("sync", null); }

  /** Asks the browser not to evict what is kept here, and says how things stand. */
  async storage(): Promise<StorageState> {
    await navigator.storage?.persist?.().catch(() => false);
    return this.#call("storage", null);
  }

  /** Ends this tab's part. What was typed stays. */
  close(): void {
    this.#worker.terminate();
    for (const w of this.#waiting.values()) w.failed(interrupted());
    this.#waiting.clear();
  }

  #call<T>(method: string, args: unknown): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((done, failed) => {
      this.#waiting.set(id, { done: done as (v: never) => void, failed });
      this.#worker.postMessage({ id, method, args } satisfies Call);
    });
  }

  #hear(m: FromWorker): void {
    if ("event" in m) this.#heard(m);
    else this.#answered(m);
  }

  #answered(a: Answer): void {
    const w = this.#waiting.get(a.id);
    this.#waiting.delete(a.id);
    if (!w) return;
    if (a.refusal) w.failed(new Refusal(a.refusal.code, a.refusal.plain, a.refusal.detail));
    else w.done(a.value as never);
  }

  #heard(e: WorkerEvent): void {
    if (e.event === "state") this.#state = e.value as OpenState;
    if (e.event === "session") this.#session = e.value as Session | undefined;
    if (e.event === "note") {
      const n = e.value as Note;
      if (n.kind === "record") this.#tell("record", { family: n.family, record: n.record });
    }
    this.#tell(e.event, e.value);
  }

  #listen<T>(event: string, fn: (value: T) => void): () => void {
    return this.on(event as keyof ClientEvents, fn as never);
  }

  #tell(event: string, value: unknown): void {
    for (const fn of [...(this.#listeners.get(event) ?? [])]) (fn as (v: unknown) => void)(value);
  }
}

/** Names the versions that a confirmation is about. */
export function headsOf(record: RecordID, heads: ChangeID[]): RecordHeads {
  return { record, heads: [...heads].sort() };
}

function ignore(): void {
  // The worker says what is wrong by its events.
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

/** A worker's address under a policy that trusts no other origin. */
function trusted(url: string | URL): unknown {
  const own = new URL(url, location.href);
  if (own.origin !== location.origin) throw new TypeError("worker of another origin");
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  if (!policies) return own.href;
  return policies.createPolicy("doorstep-client", { createScriptURL: () => own.href }).createScriptURL(own.href);
}
