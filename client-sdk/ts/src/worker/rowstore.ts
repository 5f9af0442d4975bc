/**
 * The rows of one person in IndexedDB, each sealed, each write counted; and beside
 * them, written with them, rows that were sealed to the borough and need no key of ours.
 */
import { openDB, type IDBPDatabase } from "idb";
import type { Row } from "./engine";
import { seal, unseal } from "./seal";

const rowsStore = "rows", countStore = "count", outboxStore = "outbox";
const stores = [rowsStore, countStore, outboxStore];

/** Rows that are here are not those that were written. */
export class Damage extends Error {}

/** Another worker took over; this one must not write any more. */
export class Fenced extends Error {}

/** All rows and how many writes made them. */
export interface Loaded {
  rows: Row[];
  writes: number;
  /** Of the sealed outbox. */
  outbox: Row[];
}

export class RowStore {
  #db: IDBPDatabase | undefined;

  /** Without a key only the outbox can be read and written. */
  constructor(readonly name: string, readonly key: CryptoKey | undefined) {}

  /** Every row. Throws a Damage for one that does not open, or other errors of the browser. */
  async load(): Promise<Loaded> {
    const db = await this.#open();
    const tx = db.transaction(stores);
    const [keys, values, writes, sealedKeys, sealed] = await Promise.all([
      tx.objectStore(rowsStore).getAllKeys(), tx.objectStore(rowsStore).getAll(), tx.objectStore(countStore).get("writes"),
      tx.objectStore(outboxStore).getAllKeys(), tx.objectStore(outboxStore).getAll(),
    ]);
    await tx.done;
    const rows = this.key ? await Promise.all(keys.map((k, i) => this.#row(this.key!, k as ArrayBuffer, values[i] as ArrayBuffer))) : [];
    const outbox = sealedKeys.map((k, i): Row => [new Uint8Array(k as ArrayBuffer), new Uint8Array(sealed[i] as ArrayBuffer)]);
    return { rows, writes: (writes as number | undefined) ?? 0, outbox };
  }

  async #row(key: CryptoKey, name: ArrayBuffer, value: ArrayBuffer): Promise<Row> {
    const k = new Uint8Array(name);
    try {
      return [k, await unseal(key, k, new Uint8Array(value))];
    } catch {
      throw new Damage("a row does not open");
    }
  }

  /**
   * Writes rows, and rows of the outbox as they are, all or none, as write number n.
   * When it is fulfilled they are on disk: the transaction is strict, and `complete`
   * was heard.
   */
  async apply(rows: Row[], outbox: Row[], n: number): Promise<void> {
    const key = this.key;
    const sealed = key ? await Promise.all(rows.map(async ([k, v]): Promise<Row> => [k, v && await seal(key, k, v)])) : [];
    const tx = await this.#begin();
    if ((await tx.objectStore(countStore).get("writes") ?? 0) >= n) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new Fenced("another worker wrote since");
    }
    try {
      for (const [name, list] of [[rowsStore, sealed], [outboxStore, outbox]] as const) {
        const store = tx.objectStore(name);
        for (const [k, v] of list) {
          void (v ? store.put(exact(v), exact(k)) : store.delete(exact(k))).catch(() => undefined); // tx.done tells
        }
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
        for (const name of stores) db.createObjectStore(name);
      },
      blocking: () => this.close(),
      terminated: () => { this.#db = undefined; },
    });
    return this.#db;
  }
}

/** A buffer that holds these bytes and no others. */
function exact(b: Uint8Array): ArrayBuffer {
  return (b.byteLength === b.buffer.byteLength ? b : b.slice()).buffer as ArrayBuffer;
}
