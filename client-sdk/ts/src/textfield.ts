import { Refusal } from "./refusal";
import { apply, between, cross, moved, points } from "./splice";
import type { Capture, Splice } from "./types";

/** How often words are sent where worker after worker goes. */
const mostTries = 5;

/** What the worker tells of an open text that somebody else changed. */
export interface Moved {
  session: string;
  /** Counts the moves of this session. */
  seq: number;
  /** How many splices of this page the worker had taken in before. */
  taken: number;
  splice: Splice;
}

/** What goes to the worker: the nth splice of a session, typed when `seen` moves had come in. */
export interface TypedSplice {
  session: string;
  n: number;
  seen: number;
  splices: Splice[];
  capture: Capture;
}

/** The worker's side of open texts. */
export interface TextLine {
  open(): Promise<{ session: string; text: string }>;
  /** Fulfilled once the words are on disk. */
  type(t: TypedSplice): Promise<void>;
  close(session: string): Promise<void>;
  onMoved(fn: (m: Moved) => void): () => void;
}

/**
 * A merged text that is open for typing. Give it what a text area holds after
 * each `input` event; listen for what others wrote meanwhile.
 */
export class TextField {
  readonly #line: TextLine;
  readonly #stop: () => void;
  readonly #listeners = new Set<(value: string, move: (offset: number) => number) => void>();
  #session = "";
  #value = "";
  /** The text as the worker has it, without what is pending. */
  #base = "";
  /** The text with everything that was sent: it differs from what is shown only while the session is mended. */
  #told = "";
  #last: Promise<void> | undefined;
  #seen = 0;
  #sent = 0;
  #unsaved = 0;
  /** Splices that the worker is not known to have taken in, each on top of the one before. */
  #pending: { n: number; splices: Splice[] }[] = [];
  #mending: Promise<void> | undefined;
  #broken = false;

  private constructor(line: TextLine) {
    this.#line = line;
    this.#stop = line.onMoved((m) => this.#moved(m));
  }

  static async open(line: TextLine): Promise<TextField> {
    const field = new TextField(line);
    const opened = await line.open();
    field.#session = opened.session;
    field.#value = field.#base = field.#told = opened.text;
    return field;
  }

  /** The text with everything that was typed here. */
  get value(): string { return this.#value; }

  /** How many keystrokes are not known to be on this device's disk. */
  get unsaved(): number { return this.#unsaved; }

  /**
   * Takes in what the text area holds now. Fulfilled once that is on this
   * device's disk. It fails with a Refusal if it could not be kept: the words stay
   * in `value`, and go with the next call that works.
   */
  async input(value: string, capture: Capture = "typed"): Promise<void> {
    if (value === this.#value) return;
    this.#value = value;
    this.#unsaved++;
    try {
      for (let tries = 1; !await this.#send(capture, tries === mostTries); tries++);
    } finally {
      this.#unsaved--;
    }
  }

  /**
   * Calls fn when others' words came in, with the new text and a function that
   * moves an offset (of UTF-16 units, as carets have) to where it is now.
   */
  onChange(fn: (value: string, move: (offset: number) => number) => void): () => void {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  /** Ends the typing; what was typed stays. */
  async close(): Promise<void> {
    this.#stop();
    await this.#line.close(this.#session);
  }

  /** Sends what was not sent yet; false if the worker changed meanwhile and it is not known what became of it. */
  async #send(capture: Capture, last: boolean): Promise<boolean> {
    try {
      while (this.#broken || this.#mending) await this.#mend(capture);
      const splice = between(this.#told, this.#value);
      if (splice) this.#last = this.#type([splice], capture);
      await this.#last;
      return true;
    } catch (e) {
      if (last || !(e instanceof Refusal) || e.code !== "interrupted") throw e;
      return false;
    }
  }

  async #type(splices: Splice[], capture: Capture): Promise<void> {
    const session = this.#session, n = ++this.#sent;
    this.#pending.push({ n, splices });
    this.#told = splices.reduce(apply, this.#told);
    try {
      await this.#line.type({ session, n, seen: this.#seen, splices, capture });
    } catch (e) {
      if (session === this.#session) this.#broken = true;
      throw e;
    }
    if (session === this.#session) this.#take(n);
  }

  /** The worker has taken in what was sent up to n. */
  #take(n: number): void {
    while (this.#pending.length > 0 && this.#pending[0]!.n <= n) {
      for (const s of this.#pending.shift()!.splices) this.#base = apply(this.#base, s);
    }
  }

  #moved(m: Moved): void {
    if (m.session !== this.#session || m.seq <= this.#seen) return;
    this.#seen = m.seq;
    this.#take(m.taken);
    this.#base = apply(this.#base, m.splice);
    let theirs = [m.splice];
    for (const p of this.#pending) [p.splices, theirs] = cross(p.splices, theirs);
    this.#told = theirs.reduce(apply, this.#told);
    this.#show(theirs);
  }

  /** Puts others' splices into what is shown. */
  #show(theirs: Splice[]): void {
    const before = this.#value;
    for (const s of theirs) this.#value = apply(this.#value, s);
    const move = (offset: number): number =>
      [...this.#value].slice(0, moved(points(before.slice(0, offset)), theirs)).join("").length;
    for (const fn of this.#listeners) fn(this.#value, move);
  }

  /** Opens the text anew and sends what it lacks. */
  #mend(capture: Capture): Promise<void> {
    this.#mending ??= this.#reopen(capture).finally(() => { this.#mending = undefined; });
    return this.#mending;
  }

  async #reopen(capture: Capture): Promise<void> {
    const { session, text } = await this.#line.open();
    if (!this.#passedThrough(text)) {
      // Others wrote as well since this page last heard.
      const [, theirs] = cross(listOf(between(this.#base, this.#value)), listOf(between(this.#base, text)));
      this.#show(theirs);
    }
    this.#session = session;
    this.#base = this.#told = text;
    this.#seen = this.#sent = 0;
    this.#pending = [];
    this.#broken = false;
    const lacking = between(text, this.#value);
    this.#last = lacking && this.#type([lacking], capture);
    await this.#last;
  }

  /** Whether text is what the worker had, with none, some or all of what is pending. */
  #passedThrough(text: string): boolean {
    let at = this.#base;
    if (at === text) return true;
    for (const p of this.#pending) {
      for (const s of p.splices) at = apply(at, s);
      if (at === text) return true;
    }
    return false;
  }
}

function listOf(s: Splice | undefined): Splice[] {
  return s ? [s] : [];
}
