/** Keeps a device in step with the server: when to ask, what to send, whom to believe. */
import type { SyncReport } from "../client";
import { unwrap, wrap } from "../frame";
import { fromHex } from "../ids";
import type { Value } from "../types";
import type { Device } from "./device";
import { chance } from "./encode";
import { Op } from "./engine";
import { ServerRefusal, sign, type Transport } from "./transport";
import type { Bytes } from "./seal";

const listenAgainMS = 15_000, longestMS = 2 ** 31 - 1;
/** After a nudge so many requests that a poor line cuts are tried again this soon, whatever the day before was like. */
const soonTries = 4, soonMS = 1_000;
/** So long at most does anything else that is asked of the server wait for words that go up. */
const patienceMS = 8_000;

export class Syncer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #running: Promise<SyncReport> | undefined;
  readonly #stop = new AbortController();
  #replyKey: CryptoKey | undefined;
  #listening = false;
  #later: ReturnType<typeof setTimeout> | undefined;
  #soon = 0;
  /** The last exchange, if there was one, found a server. */
  #reached = true;

  constructor(readonly device: Device, readonly transport: Transport, readonly tell: (r: SyncReport) => void) {}

  /** Syncs after a delay, or sooner if that was planned. */
  plan(afterMS: number): void {
    const due = performance.now() + afterMS;
    if (this.#stop.signal.aborted || due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.sync(), Math.min(afterMS, longestMS));
  }

  /** The tablet is online again, or was opened. */
  nudge(): void {
    this.#soon = soonTries;
    this.plan(0);
  }

  end(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#later);
  }

  /** Exchanges until neither side has more. A call meanwhile waits for a whole one of its own. */
  async sync(): Promise<SyncReport> {
    if (this.#running) {
      await this.#running;
    }
    this.#running ??= this.#whole().finally(() => { this.#running = undefined; });
    return this.#running;
  }

  /**
   * Fulfilled when what is about to go up has gone, or soon: a poor line is to carry words first, and so is one that
   * has just come back. False: no server was reached just now.
   */
  async wordsFirst(): Promise<boolean> {
    if (!this.#running && this.#due > performance.now() && this.#reached) return true;
    const patience = new Promise((done) => setTimeout(done, patienceMS));
    await Promise.race([(this.#running ?? this.sync()).catch(() => undefined), patience]);
    return this.#reached;
  }

  async #whole(): Promise<SyncReport> {
    const report: SyncReport = { requests: 0, bytesUp: 0, bytesDown: 0 };
    this.#due = Infinity;
    clearTimeout(this.#timer);
    if (!await this.transport.begun()) {
      report.refusal = { code: "unauthenticated", plain: "Please sign in. Your words are on this device and will be sent after that." };
    } else {
      this.#reached = true;
      try {
        while (!this.#stop.signal.aborted && await this.#round(report));
      } catch (e) {
        report.refusal = reasonOf(e);
        this.#reached = !(e instanceof ServerRefusal && e.number === 0);
      }
      if (this.#reached) this.#listen(); // words go first
      else this.#listenLater();
    }
    this.tell(report);
    return report;
  }

  /** One request; true if the next is wanted at once. */
  async #round(report: SyncReport): Promise<boolean> {
    const request = chance();
    try {
      const reply = await this.#exchange(request, report);
      const { effects } = await this.device.reply(reply);
      return effects.after === 0;
    } catch (e) {
      const [code, wait] = e instanceof ServerRefusal ? [e.number, e.retryAfterMS] : [0, 0];
      const { effects } = await this.device.call(Op.failed, request, code, wait, chance());
      if (effects.after === 0) return true;
      if (code === 0 && this.#soon > 0) {
        this.#soon--;
        this.plan(soonMS * (0.5 + Math.random() / 2));
      }
      if (code > 0 && e instanceof ServerRefusal && e.code === "") throw await this.#named(code);
      throw e;
    }
  }

  /** The words of a code that came as a number. */
  async #named(code: number): Promise<ServerRefusal> {
    const [name, plain] = await this.device.look(Op.code, code) as [string, string];
    return new ServerRefusal(code, name, plain, 0);
  }

  /** Sends what the engine has to say and returns the signed reply, whose signature is right. */
  async #exchange(request: Bytes, report: SyncReport): Promise<Bytes> {
    let { effects } = await this.device.sync(request);
    if (effects.sign) {
      const signatures = await Promise.all(effects.sign.messages.map((m) => sign(this.device.parts.keys.device, m)));
      ({ effects } = await this.device.call(Op.signed, request, signatures as unknown as Value));
    }
    if (!effects.send) throw new Error("the engine sends nothing");
    const wire = await wrap(effects.send.payload as Bytes);
    report.requests++;
    report.bytesUp += wire.length;
    const answer = await this.transport.sync(wire);
    report.bytesDown += answer.length;
    const reply = await unwrap(answer);
    const pinned = this.device.pinned!;
    const [message, signature] = await this.device.look(Op.parts, fromHex(pinned.device), reply) as [Bytes, Bytes];
    this.#replyKey ??= await crypto.subtle.importKey("raw", fromHex(pinned.replyKey), "Ed25519", false, ["verify"]);
    if (!await crypto.subtle.verify("Ed25519", this.#replyKey, signature, message)) throw new Error("a reply that the server did not sign");
    return reply;
  }

  /** Hears of news as they happen; why a stream ended does not matter, syncs tell. */
  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    void this.transport.listen(() => this.plan(0), this.#stop.signal).catch(() => undefined).then(() => {
      this.#listening = false;
      this.#listenLater();
    });
  }

  #listenLater(): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      if (this.transport.session && !this.#stop.signal.aborted) this.#listen();
    }, listenAgainMS);
  }
}

function reasonOf(e: unknown): { code: string; plain: string } {
  if (e instanceof ServerRefusal) return { code: e.code, plain: e.plain };
  return { code: "unavailable", plain: "The server could not be understood. Your words are on this device." };
}
