import type { Client, FamilyID, RecordID, View } from "@doorstep/client";

/** How long the news must pause before it is looked at, and how long it may be put off. */
const quietMS = 250, mostMS = 5_000;

/** More changed records than this are read as their whole family. */
const fewRecords = 20;

/**
 * Calls fn at the first news at once and, while more keep coming, as they do while
 * somebody types, only at a pause: a keystroke does not wait for what it changes.
 */
export class Pace {
  #timer: number | undefined;
  #quietFrom = 0;
  #putOff = 0;

  constructor(readonly fn: () => void) {}

  news(): void {
    const now = performance.now();
    const calm = now >= this.#quietFrom;
    this.#quietFrom = now + quietMS;
    if (calm && this.#timer === undefined) return this.fn();
    this.#putOff ||= now;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      this.#putOff = 0;
      this.fn();
    }, Math.min(quietMS, Math.max(0, this.#putOff + mostMS - now)));
  }

  end(): void { clearTimeout(this.#timer); }
}

/** What is known of one family. */
interface File {
  views: Map<RecordID, View>;
  /** Every record is in views, not only those that were asked for. */
  whole: boolean;
  failed: unknown;
  watching: Set<() => void>;
  changed: Set<RecordID>;
  stale: boolean;
  reading: boolean;
  pace: Pace;
}

/**
 * The records of families as screens have read them, kept up to date record by record,
 * so that going from one screen to the next reads nothing twice. It is forgotten with
 * the desk when the app is locked.
 */
export class Files {
  readonly #files = new Map<FamilyID, File>();

  constructor(readonly client: Client) {}

  /** Follows the client's news until the function that is returned is called. */
  follow(): () => void {
    const stops = [
      this.client.on("record", (e) => {
        const file = this.#files.get(e.family);
        if (!file) return;
        file.changed.add(e.record);
        file.pace.news();
      }),
      this.client.on("note", (n) => {
        const file = this.#files.get(n.family);
        if (!file || !["granted", "leaving", "purged", "erased", "restored", "rewritten", "epoch"].includes(n.kind)) return;
        file.stale = true;
        file.pace.news();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      for (const f of this.#files.values()) f.pace.end();
    };
  }

  /** What is known of a family; `whole` tells whether that is all. */
  of(family: FamilyID): { views: Map<RecordID, View>; whole: boolean; failed: unknown } { return this.#file(family); }

  /** A record, if it was read already. */
  find(record: RecordID): View | undefined {
    for (const f of this.#files.values()) {
      const v = f.views.get(record);
      if (v) return v;
    }
    return undefined;
  }

  /** Reads one record without its family. */
  async read(record: RecordID): Promise<View> {
    const view = await this.client.view(record);
    const file = this.#file(view.family);
    file.views = new Map(file.views).set(record, view);
    return view;
  }

  /** Calls fn whenever something of the family changed, and reads it if it was not yet. */
  watch(family: FamilyID, fn: () => void): () => void {
    const file = this.#file(family);
    file.watching.add(fn);
    void this.#refresh(family, file);
    return () => void file.watching.delete(fn);
  }

  #file(family: FamilyID): File {
    let file = this.#files.get(family);
    if (!file) {
      const made: File = {
        views: new Map(), whole: false, failed: undefined, watching: new Set(), changed: new Set(), stale: true, reading: false,
        pace: new Pace(() => void this.#refresh(family, made)),
      };
      this.#files.set(family, file = made);
    }
    return file;
  }

  /** Reads what changed, while somebody looks. */
  async #refresh(family: FamilyID, file: File): Promise<void> {
    if (file.reading || file.watching.size === 0 || !file.stale && file.changed.size === 0) return;
    file.reading = true;
    const changed = [...file.changed], all = file.stale || changed.length > fewRecords;
    file.changed.clear();
    file.stale = false;
    try {
      const read = all ? await this.client.views(family) : await Promise.all(changed.map((r) => this.client.view(r)));
      const views = new Map(all ? [] : file.views);
      for (const v of read) views.set(v.record, v);
      Object.assign(file, { views, whole: file.whole || all, failed: undefined });
    } catch (e) {
      file.stale = !all; // one of them may be gone: what is left is in the family's list
      file.failed = all ? e ?? true : undefined;
    }
    file.reading = false;
    for (const fn of [...file.watching]) fn();
    if (file.stale || file.changed.size > 0) file.pace.news();
  }
}
