/**
 * Notes that are written while a store is locked (SPEC 7.13): sealed to the borough,
 * and readable by nobody here any more. They lie among the rows of the sealed outbox
 *
 *   n note(16)   a note
 *
 * and stay there until somebody says that the borough has them.
 */
import { fromHex } from "../ids";
import { Refusal } from "../refusal";
import { outboxName, type OutboxPlace } from "./outbox";
import { RowStore } from "./rowstore";
import { join, type Bytes } from "./seal";
import { headerOf, noteBody, sealItem, type SealTo } from "./sealed";
import { Spare, summed } from "./spare";

const letter = 0x6e;
/** What a note may say at most, as UTF-8. */
const maxBytes = 65_536;
/** A note has no place in a chain, and nobody's signature: a locked tablet asks nobody who they are. */
const unsigned = new Uint8Array(32 + 64);

interface Waiting {
  text: string;
  done: Promise<void>;
}

export class Notebook {
  readonly #next = new Map<string, Waiting>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly store: RowStore, readonly spare: Spare | undefined, readonly to: SealTo, readonly header: Bytes, private writes: number,
  ) {}

  /** Opens the outbox of a locked store. */
  static async open(p: OutboxPlace): Promise<Notebook> {
    if (!p.to) throw new Refusal("unsupported", "This tablet cannot take notes while it is locked: the borough has no recovery key.");
    const store = new RowStore(`${p.name}-${p.store}`, undefined);
    const { writes, outbox } = await store.load();
    let spare: Spare | undefined;
    if (p.folder) {
      const opened = await Spare.open(p.folder, outboxName(p.store), summed);
      spare = opened.spare;
      await spare.begin(writes > 0 ? outbox : opened.content?.rows ?? [], writes);
    }
    return new Notebook(store, spare, p.to, await headerOf(p.to), writes);
  }

  /** Keeps what a note says now; fulfilled once it is on disk. Of texts that wait for the disk the last is written. */
  write(note: string, text: string): Promise<void> {
    if (new TextEncoder().encode(text).length > maxBytes) return Promise.reject(new Refusal("too_large", "This note is full. Begin another."));
    const waits = this.#next.get(note);
    if (waits) {
      waits.text = text;
      return waits.done;
    }
    const waiting: Waiting = { text, done: Promise.resolve() };
    this.#next.set(note, waiting);
    waiting.done = this.#last.then(async () => {
      this.#next.delete(note);
      await this.#write(note, waiting.text);
    });
    this.#last = waiting.done.catch(() => undefined);
    return waiting.done;
  }

  async close(): Promise<void> {
    await this.#last;
    this.store.close();
    this.spare?.close();
  }

  async #write(note: string, text: string): Promise<void> {
    const now = new Date();
    const item = await sealItem(this.to.key, this.header, join(unsigned, noteBody(text, now.getTime(), -now.getTimezoneOffset())));
    const rows: [Uint8Array, Uint8Array][] = [[join(Uint8Array.of(letter), fromHex(note)), item]];
    await this.store.apply([], rows, this.writes + 1);
    await this.spare?.apply(rows, ++this.writes);
  }
}
