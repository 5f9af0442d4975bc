/** The rows of one person in IndexedDB, each sealed, each write counted. */
import { openDB, type IDBPDatabase } from "idb";
import type { Row } from "./engine";
import { seal, unseal, type Bytes } from "./seal";

const rowsStore = "rows", countStore = "count";

/** Rows that are here are not those that were written. */
export class Damage extends Error {}

/** Another worker took over; this one must not write any more. */
export class Fenced extends Error {}

/** All rows and how many writes made them. */
export interface Loaded {
  rows: Row[];
  writes: number;
}

export class RowStore {
  #db: IDBPDatabase | undefined;

  constructor(readonly name: string, readonly key: CryptoKey) {}

  /** Every row. Throws a Damage for one that does not open, or other errors of the browser. */
  async load(): Promise<Loaded> {
    const db = await this.#open();
    const tx = db.transaction([rowsStore, countStore]);
    const [keys, values, writes] = await Promise.all([
      tx.objectStore(rowsStore).getAllKeys(), tx.objectStore(rowsStore).getAll(), tx.objectStore(countStore).get("writes"),
    ]);
    await tx.done;
    const rows = await Promise.all(keys.map(async (k, i): Promise<Row> => {
      const key = new Uint8Array(k as ArrayBuffer);
      try {
        return [key, await unseal(this.key, key, new Uint8Array(values[i] as ArrayBuffer))];
      } catch {
        throw new Damage("a row does not open");
      }
    }));
    return { rows, writes: (writes as number | undefined) ?? 0 };
  }

  /**
   * Writes rows, all or none, as write number n. When it is fulfilled they are on
   * disk: the transaction is strict, and `complete` was heard.
   */
  async apply(rows: Row[], n: number): Promise<void> {
    const sealed = await Promise.all(rows.map(async ([k, v]): Promise<[Bytes, Bytes | null]> =>
      [k as Bytes, v && await seal(this.key, k, v)]));
    const tx = await this.#begin();
    const store = tx.objectStore(rowsStore);
    if ((await tx.objectStore(countStore).get("writes") ?? 0) >= n) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new Fenced("another worker wrote since");
    }
    try {
      for (const [k, v] of sealed) {
        void (v ? store.put(exact(v), exact(k)) : store.delete(exact(k))).catch(() => undefined); // tx.done tells
      }
      void tx.objectStore(countStore).put(n, "writes").catch(() => undefined);
    } catch (e) {
      tx.abort(); // else what was asked for before would be written
      await tx.done.catch(() => undefined);
      throw e;
    }
    await tx.done;
  }

  /** Removes everything. */
  async destroy(): Promise<void> {
    this.close();
    await new Promise<void>((done, failed) => {
      const r = indexedDB.deleteDatabase(this.name);
      r.onsuccess = () => done();
      r.onerror = () => failed(r.error);
    });
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  async #begin() {
    const strict = { durability: "strict" } as const;
    const stores = [rowsStore, countStore];
    try {
      return (await this.#open()).transaction(stores, "readwrite", strict);
    } catch {
      // The browser closed the connection, as it does while a tablet sleeps.
      this.close();
      return (await this.#open()).transaction(stores, "readwrite", strict);
    }
  }

  async #open(): Promise<IDBPDatabase> {
    this.#db ??= await openDB(this.name, 1, {
      upgrade(db) {
        db.createObjectStore(rowsStore);
        db.createObjectStore(countStore);
      },
      blocking: () => this.close(),
      terminated: () => { this.#db = undefined; },
    });
    return this.#db;
  }
}

/** A buffer that holds these bytes and no others. */
function exact(b: Bytes): ArrayBuffer {
  return b.byteLength === b.buffer.byteLength ? b.buffer : b.slice().buffer;
}
