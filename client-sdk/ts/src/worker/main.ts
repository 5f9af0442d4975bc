/**
 * The worker of one tab. Of all tabs of an installation one worker writes: the one
 * that holds the lock. The others pass their pages' calls on to it; when it goes,
 * one of them takes over, with the key, and makes the calls again that got no
 * answer.
 */
import { newID } from "../ids";
import { interrupted, Refusal } from "../refusal";
import type { Answer, Call, FromWorker, PlainRefusal } from "./messages";
import { repeatable, Writer, type Config } from "./writer";
import type { Keys } from "./vault";

/** What passes between the workers of several tabs. */
type Between =
  | { for: "writer"; tab: string; call: Call; again: boolean }
  | { for: "writer"; hello: string }
  | { for: string; answer: Answer }
  | { for: "all"; event: string; value: unknown }
  | { for: "all"; writer: string }
  | { for: "all"; beginning: string }
  | { for: "all"; keys: Keys | undefined };

/** How long the worker that writes may be silent before it is taken to be frozen. */
const silentMS = 15_000;

class Tab {
  readonly #id = newID();
  readonly #channel: BroadcastChannel;
  readonly #waiting = new Map<number, Call>();
  #keys: Keys | undefined;
  #writer: Writer | undefined;
  #passing = false; // somebody else writes
  #beginning = false; // this worker has the lock, and opens what it writes to
  #heard = performance.now();

  constructor(readonly config: Config) {
    this.#channel = new BroadcastChannel(`${config.name} workers`);
    this.#channel.onmessage = (e: MessageEvent<Between>) => this.#hear(e.data);
  }

  /** Fulfilled once somebody writes, this worker or another. */
  async begin(): Promise<void> {
    this.#channel.postMessage({ for: "writer", hello: this.#id } satisfies Between);
    const ready = new Promise<void>((done, failed) => {
      this.#onReady = done;
      void this.#compete(false).catch(failed);
    });
    const watch = setInterval(() => this.#watch(), silentMS / 3);
    await ready.catch((e: unknown) => {
      clearInterval(watch);
      throw e;
    });
  }

  #onReady: () => void = () => undefined;

  /** Writes as long as this worker has the lock. */
  async #compete(steal: boolean): Promise<void> {
    let stolen = false;
    await navigator.locks.request(`${this.config.name} writer`, steal ? { steal } : {}, async () => {
      let lost: () => void = () => undefined;
      const held = new Promise<void>((done) => { lost = done; });
      this.#passing = false;
      this.#beginning = true;
      this.#tellBeginning();
      const hooks = { share: (k: Keys | undefined) => this.#share(k), fenced: () => lost() };
      const writer = await Writer.begin(this.config, (e, v) => this.#tell(e, v), hooks, this.#keys).finally(() => { this.#beginning = false; });
      if (stolen) return writer.end();
      this.#writer = writer;
      this.#channel.postMessage({ for: "all", writer: this.#id } satisfies Between);
      post({ event: "writer", value: undefined });
      this.#onReady();
      for (const c of this.#waiting.values()) void this.#carryOut(c, true).then((a) => this.#answered(a));
      await held;
    }).catch((e: unknown) => {
      // Stolen while this tab was frozen: somebody else writes now.
      if (!(e instanceof DOMException && e.name === "AbortError")) throw e;
      stolen = true;
    });
    this.#writer?.end();
    this.#writer = undefined;
    void this.#compete(false);
  }

  /** A page's call. */
  take(call: Call): void {
    this.#waiting.set(call.id, call);
    if (this.#writer) void this.#carryOut(call, false).then((a) => this.#answered(a));
    else if (this.#passing) this.#pass(call, false);
  }

  #pass(call: Call, again: boolean): void {
    this.#channel.postMessage({ for: "writer", tab: this.#id, call, again } satisfies Between);
  }

  #answered(a: Answer): void {
    if (this.#waiting.delete(a.id)) post(a);
  }

  async #carryOut(call: Call, again: boolean): Promise<Answer> {
    try {
      if (again && !repeatable(call.method, call.args)) throw interrupted();
      return { id: call.id, value: await this.#writer!.call(call.method, call.args) };
    } catch (e) {
      return { id: call.id, refusal: plain(e) };
    }
  }

  #hear(m: Between): void {
    if ("hello" in m || "call" in m) {
      if (this.#writer) this.#serve(m);
      else if (this.#beginning) this.#tellBeginning();
      return;
    }
    this.#heard = performance.now();
    if ("answer" in m) {
      if (m.for === this.#id) this.#answered(m.answer);
    } else if ("event" in m) {
      post({ event: m.event, value: m.value });
    } else if ("keys" in m) {
      this.#keys = m.keys;
    } else if ("writer" in m && m.writer !== this.#id) {
      this.#passing = true;
      this.#onReady();
      for (const c of this.#waiting.values()) this.#pass(c, true);
    }
  }

  /** Answers another tab's worker. */
  #serve(m: Extract<Between, { for: "writer" }>): void {
    if ("hello" in m) {
      this.#channel.postMessage({ for: "all", writer: this.#id } satisfies Between);
      this.#channel.postMessage({ for: "all", keys: this.#keys } satisfies Between);
      this.#writer!.tellState();
      return;
    }
    void this.#carryOut(m.call, m.again).then((answer) => {
      this.#channel.postMessage({ for: m.tab, answer } satisfies Between);
    });
  }

  #tell(event: string, value: unknown): void {
    post({ event, value });
    this.#channel.postMessage({ for: "all", event, value } satisfies Between);
  }

  /** A sign of life, for those who would take it to be frozen. */
  #tellBeginning(): void {
    this.#channel.postMessage({ for: "all", beginning: this.#id } satisfies Between);
  }

  #share(keys: Keys | undefined): void {
    this.#keys = keys;
    this.#channel.postMessage({ for: "all", keys } satisfies Between);
  }

  /** Takes the lock from a worker that does not answer, or never did: its tab is frozen. */
  #watch(): void {
    if (this.#writer || this.#beginning || this.#passing && this.#waiting.size === 0) {
      this.#heard = performance.now();
      return;
    }
    const silent = performance.now() - this.#heard;
    if (silent > silentMS) void this.#compete(true);
    else this.#channel.postMessage({ for: "writer", hello: this.#id } satisfies Between);
  }
}

function plain(e: unknown): PlainRefusal {
  if (e instanceof Refusal) return { code: e.code, plain: e.plain, detail: e.detail };
  return { code: "internal", plain: "Something went wrong in this page. Your words are on this device.", detail: String(e) };
}

function post(m: FromWorker): void {
  self.postMessage(m);
}

/** What no word may be recorded without; empty: everything is here. */
async function missing(): Promise<string> {
  if (!globalThis.isSecureContext) return "a secure connection";
  if (!navigator.locks) return "Web Locks";
  if (!crypto.subtle) return "WebCrypto";
  if (typeof CompressionStream === "undefined") return "Compression Streams";
  try {
    await new Promise<void>((done, failed) => {
      const r = indexedDB.open("doorstep probe");
      r.onsuccess = () => (r.result.close(), done());
      r.onerror = () => failed(r.error);
    });
  } catch {
    return "IndexedDB";
  }
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  } catch {
    return "Ed25519";
  }
  return "";
}

let tab: Tab | undefined; // this worker is one tab's

self.onmessage = async (e: MessageEvent<Call>) => {
  const call = e.data;
  if (call.method !== "begin") {
    tab?.take(call);
    return;
  }
  try {
    const lacks = await missing();
    if (lacks) throw new Refusal("unsupported", "This browser cannot keep your words safe. Use an up-to-date one, and not a private window.", lacks);
    tab = new Tab(call.args as Config);
    await tab.begin();
    post({ id: call.id, value: null });
  } catch (e) {
    post({ id: call.id, refusal: plain(e) });
  }
};
