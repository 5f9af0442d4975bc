/**
 * The second copy of a person's unsent work, in the origin's private files: there
 * when the database is damaged, lost or behind. Two files take turns. Each begins
 * with everything that counts and goes on with what was written since; a frame is
 * its length (4 bytes) and its content under a cover, so that what was cut or altered
 * is seen.
 */
import { decode, encode } from "../cbor";
import { toHex } from "../ids";
import type { Value } from "../types";
import type { Row } from "./engine";
import { join, seal, unseal, type Bytes } from "./seal";

/** A file this long is begun anew, unless what counts takes half of it. */
const longBytes = 1 << 20;

export interface SpareContent {
  rows: Row[];
  /** The number of the last write that is in it. */
  writes: number;
}

interface Found extends SpareContent {
  turn: number;
}

/** How content is kept from being read or altered unseen. */
export interface Cover {
  put(plain: Uint8Array): Promise<Bytes>;
  /** Throws if it was altered. */
  take(covered: Uint8Array): Promise<Bytes>;
}

/** Content that only the holder of the key reads. */
export function sealedBy(key: CryptoKey): Cover {
  return { put: (plain) => seal(key, place, plain), take: (sealed) => unseal(key, place, sealed) };
}

/** Content that is sealed already: with its SHA-256 before it. */
export const summed: Cover = {
  put: async (plain) => join(await sumOf(plain), plain),
  async take(covered) {
    const plain = covered.slice(sumBytes);
    if (toHex(await sumOf(plain)) !== toHex(covered.subarray(0, sumBytes))) throw new Error("altered");
    return plain;
  },
};

const sumBytes = 32;

async function sumOf(plain: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", plain as Bytes));
}

export class Spare {
  #files: FileSystemSyncAccessHandle[] = [];
  #live = new Map<string, Row>();
  #turn = 0;
  #size = 0;
  #failed = true;

  private constructor(readonly cover: Cover) {}

  /** Opens the copy; content is what it holds, undefined if nothing. */
  static async open(folder: FileSystemDirectoryHandle, name: string, cover: Cover): Promise<{ spare: Spare; content?: SpareContent }> {
    const spare = new Spare(cover);
    for (const half of ["a", "b"]) spare.#files.push(await access(folder, `${name}.${half}`));
    const found = (await Promise.all(spare.#files.map((f) => spare.#read(f)))).filter((f) => f !== undefined);
    found.sort((a, b) => b.turn - a.turn);
    spare.#turn = found[0]?.turn ?? 0;
    return { spare, content: found[0] };
  }

  /** Whether everything that counts is in it. */
  get upToDate(): boolean { return !this.#failed; }

  /** Makes the copy hold these rows, as after write n. A failure is not the caller's: `upToDate` tells. */
  async begin(rows: Row[], n: number): Promise<void> {
    this.#live = new Map(rows.filter(([, v]) => v).map((r) => [toHex(r[0]), r]));
    await this.#try(async () => this.#rewrite(n));
  }

  /** Takes in the rows of write n. */
  async apply(rows: Row[], n: number): Promise<void> {
    for (const r of rows) {
      if (r[1]) this.#live.set(toHex(r[0]), r);
      else this.#live.delete(toHex(r[0]));
    }
    await this.#try(async () => {
      if (this.#failed || this.#size > longBytes && this.#size > 2 * this.#liveBytes()) return this.#rewrite(n);
      const frame = await this.#frame([this.#turn, n, rows as unknown as Value]);
      this.#append(this.#files[this.#turn % 2]!, frame);
    });
  }

  close(): void {
    for (const f of this.#files) f.close();
    this.#files = [];
  }

  async #try(write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#failed = false;
    } catch {
      this.#failed = true; // no space, most likely: the first copy tells of that
    }
  }

  /** Begins the other file with all that counts, and empties this one. */
  async #rewrite(n: number): Promise<void> {
    const next = this.#turn + 1, into = this.#files[next % 2]!, from = this.#files[this.#turn % 2]!;
    const frame = await this.#frame([next, n, [...this.#live.values()] as unknown as Value]);
    into.truncate(0);
    this.#size = 0;
    this.#append(into, frame);
    this.#turn = next;
    from.truncate(0);
    from.flush();
  }

  #append(file: FileSystemSyncAccessHandle, frame: Uint8Array<ArrayBuffer>): void {
    if (file.write(frame, { at: this.#size }) !== frame.length) throw new Error("short write");
    file.flush();
    this.#size += frame.length;
  }

  async #frame(content: Value): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = await this.cover.put(encode(content));
    const out = new Uint8Array(4 + sealed.length);
    new DataView(out.buffer).setUint32(0, sealed.length);
    out.set(sealed, 4);
    return out;
  }

  /** What a file holds, up to the first frame that is not whole; undefined if that is the first. */
  async #read(file: FileSystemSyncAccessHandle): Promise<Found | undefined> {
    const bytes = new Uint8Array(file.getSize());
    file.read(bytes, { at: 0 });
    const live = new Map<string, Row>();
    let found: { turn: number; writes: number } | undefined;
    for (let at = 0; at + 4 <= bytes.length;) {
      const n = new DataView(bytes.buffer).getUint32(at);
      if (at + 4 + n > bytes.length) break;
      let content: Value[];
      try {
        content = decode(await this.cover.take(bytes.subarray(at + 4, at + 4 + n))) as Value[];
      } catch {
        break;
      }
      const [turn, writes, rows] = content as [number, number, Value];
      if (found && turn !== found.turn) break; // left over from a longer file
      found = { turn, writes };
      for (const r of rows as unknown as Row[]) live.set(toHex(r[0]), r);
      at += 4 + n;
    }
    return found && { ...found, rows: [...live.values()].filter(([, v]) => v) };
  }

  #liveBytes(): number {
    let n = 0;
    for (const [k, v] of this.#live.values()) n += k.length + (v?.length ?? 0);
    return n;
  }
}

const place = new TextEncoder().encode("doorstep-spare-v1");

/** Opens a file for this worker alone. One that has just ended may hold it for a moment. */
export async function access(folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemSyncAccessHandle> {
  const file = await folder.getFileHandle(name, { create: true });
  for (let tries = 0; ; tries++) {
    try {
      return await file.createSyncAccessHandle();
    } catch (e) {
      if (tries === 100) throw e;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}
