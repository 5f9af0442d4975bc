/**
 * Who has a store on this tablet, and the keys to it.
 *
 * A store's secret, 32 random bytes, is kept sealed under a key that takes both the
 * person's PIN or passkey and the server's share (SPEC 7.15). The share lies in a file
 * of its own, which is overwritten when the lease has run out. Its rows and the device's signing key are sealed under
 * keys drawn from the secret. The list is kept twice: in IndexedDB, and in the
 * origin's private files.
 */
import { openDB, type IDBPDatabase } from "idb";
import type { Person, Unlock } from "../client";
import { decode, encode } from "../cbor";
import { toHex } from "../ids";
import { Refusal } from "../refusal";
import type { Value } from "../types";
import { join, keyFor, random, seal, unseal, type Bytes } from "./seal";
import type { SealTo } from "./sealed";
import { access } from "./spare";
import type { Pinned } from "./transport";

/** PBKDF2 is what every browser's WebCrypto has; the count is OWASP's of 2023 for SHA-256. */
const stretches = 600_000;
const maxTries = 10;
const shareBytes = 32;
/** Before the server has enrolled somebody there is no share, and nothing in the store. */
const noShare = new Uint8Array(0);
/** How often a lease that begins anew is written down. */
const touchMS = 10 * 60 * 1000;

/** One person's entry. */
interface Entry {
  store: string;
  login: string;
  unlock: "pin" | "passkey";
  salt: Bytes;
  stretches: number;
  /** The store's secret, sealed. */
  secret: Bytes;
  /** The device's key, PKCS #8, sealed under the secret. */
  deviceKey: Bytes;
  publicKey: Bytes;
  /** Wrong PINs in a row. */
  tries: number;
  /** The device that the server enrolled; empty before it has said so. */
  device: string;
  /** How long the share may be kept after the server last answered, and until when that is. */
  leaseMS: number;
  until: number;
  /** The latest time that was seen: a clock that is set back lengthens no lease. */
  seen: number;
  /** To whom unsent work is sealed (SPEC 7.13); an empty key: to nobody. */
  borough: string;
  user: string;
  recoveryKey: Bytes;
  /** All that is unsent is sealed to the borough as well: the key may be destroyed. */
  sealed: boolean;
  /** The passkey's id; empty for a PIN. It is asked for by it, and unlocks nothing alone. */
  passkey: Bytes;
}

/** The server's part of a lock. */
export interface Share {
  share: Bytes;
  leaseMS: number;
}

/** Where the shares lie. */
interface Shares {
  get(store: string): Promise<Bytes | undefined>;
  put(store: string, share: Bytes): Promise<void>;
  /** Leaves nothing of it behind. */
  wipe(store: string): Promise<void>;
}

/** What an open store is read and signed with. The keys cannot be taken out. */
export interface Keys {
  store: string;
  rows: CryptoKey;
  device: CryptoKey;
  publicKey: Uint8Array;
}

const utf8 = new TextEncoder();

export class Vault {
  #entries: Entry[] = [];

  private constructor(readonly db: IDBPDatabase, readonly file: FileSystemSyncAccessHandle | undefined, readonly shares: Shares) {}

  /** Opens the list, by its second copy if the first is gone. */
  static async open(name: string, folder: FileSystemDirectoryHandle | undefined): Promise<Vault> {
    const db = await openDB(`${name}-people`, 1, { upgrade: (db) => void db.createObjectStore("people") });
    const vault = new Vault(db, folder && await access(folder, "people"), folder ? sharesIn(folder) : sharesInMemory());
    const first = await db.get("people", "all") as Uint8Array | undefined;
    vault.#entries = readEntries(first) ?? readEntries(vault.#fromFile()) ?? [];
    await vault.#lapse();
    // Without private files a share lasts as long as its page: the server lends it anew.
    if (!folder) for (const e of vault.#entries) e.until = 0;
    return vault;
  }

  people(): Person[] {
    return this.#entries.filter((e) => e.device).map((e) => ({
      store: e.store, login: e.login, unlock: e.unlock, lapsed: e.until === 0, destroyed: isDestroyed(e), asksAlways: !this.file,
      ...(e.unlock === "pin" ? { triesLeft: Math.max(maxTries - e.tries, 0) } : { passkey: e.passkey }),
    }));
  }

  /** Begins a store for somebody who is about to enrol, or goes on with the one that was begun. */
  async begin(login: string, unlock: Unlock): Promise<Keys> {
    const begun = this.#entries.find((e) => !e.device && e.login === login);
    if (begun) {
      try {
        return await this.unlock(begun.store, unlock);
      } catch {
        await this.#remove(begun.store); // begun with another PIN; nothing is in it
      }
    }
    const secret = random(32), salt = random(16), store = toHex(random(16));
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]) as CryptoKeyPair;
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const wrap = await keyFor(secret, salt, "doorstep device key", ["encrypt"]);
    this.#entries.push({
      store, login, unlock: "pin" in unlock ? "pin" : "passkey", salt, stretches,
      secret: await seal(await lockKey(unlock, salt, stretches, noShare), utf8.encode(store), secret),
      deviceKey: await seal(wrap, publicKey, pkcs8), publicKey, tries: 0, device: "", leaseMS: 0, until: 0, seen: 0,
      borough: "", user: "", recoveryKey: new Uint8Array(0), sealed: false,
      passkey: "pin" in unlock ? new Uint8Array(0) : join(unlock.passkey),
    });
    pkcs8.fill(0);
    secret.fill(0);
    await this.#keep();
    return this.unlock(store, unlock);
  }

  /** The server has enrolled them: from now on the lock needs its share as well. */
  async enrolled(store: string, unlock: Unlock, p: Pinned, { share, recoveryKey }: { share: Share; recoveryKey: Bytes }): Promise<void> {
    const e = this.#entry(store), place = utf8.encode(store);
    if (!e.device) {
      const secret = await unseal(await lockKey(unlock, e.salt, e.stretches, noShare), place, e.secret);
      e.secret = await seal(await lockKey(unlock, e.salt, e.stretches, share.share), place, secret);
      secret.fill(0);
    }
    [e.device, e.borough, e.user, e.recoveryKey] = [p.device, p.borough, p.user, recoveryKey];
    await this.renew(store, share);
  }

  /** To whom a store's unsent work is sealed. */
  sealTo(store: string): SealTo | undefined {
    const e = this.#entry(store);
    return e.recoveryKey.length === 0 ? undefined : { borough: e.borough, device: e.device, user: e.user, key: e.recoveryKey };
  }

  /** Whether all that is unsent in a store is sealed as well. */
  async noteSealed(store: string, all: boolean): Promise<void> {
    const e = this.#entry(store);
    if (e.sealed === all) return;
    e.sealed = all;
    await this.#keep();
  }

  /** Which device a store's share is asked for. */
  deviceOf(store: string): string { return this.#entry(store).device; }

  /** Keeps the server's share for as long as it lends it. */
  async renew(store: string, s: Share): Promise<void> {
    const e = this.#entry(store);
    await this.shares.put(store, s.share);
    e.leaseMS = s.leaseMS;
    e.seen = Math.max(e.seen, Date.now());
    e.until = e.seen + e.leaseMS;
    await this.#keep();
  }

  /** The server has answered: the lease begins anew. Kept at most every so often. */
  async touch(store: string): Promise<void> {
    const e = this.#entry(store), now = Math.max(e.seen, Date.now());
    if (e.until === 0 || now + e.leaseMS - e.until < touchMS) return;
    e.seen = now;
    e.until = now + e.leaseMS;
    await this.#keep();
  }

  /** Ends the leases that have run out. */
  async #lapse(): Promise<void> {
    for (const e of this.#entries) {
      if (!e.device || e.until === 0) continue;
      e.seen = Math.max(e.seen, Date.now());
      if (e.seen <= e.until) continue;
      await this.shares.wipe(e.store);
      e.until = 0;
    }
    if (this.#entries.length > 0) await this.#keep();
  }

  /**
   * The keys of a store. Fails with `wrong_secret`, `lapsed`, `destroyed` (from the tenth
   * wrong PIN on) or `not_found`. A try is counted on disk before it is made.
   */
  async unlock(store: string, unlock: Unlock): Promise<Keys> {
    const e = this.#entry(store);
    if (isDestroyed(e)) throw destroyed();
    const share = e.device ? await this.shares.get(store) : noShare;
    if (!share) throw lapsed();
    const pin = "pin" in unlock;
    if (pin !== (e.unlock === "pin")) throw new Refusal("wrong_secret", "That does not open this store.");
    const key = lockKey(unlock, e.salt, e.stretches, share); // takes a while; nothing is tried with it yet
    key.catch(() => undefined);
    if (pin) {
      e.tries++;
      await this.#keep();
    }
    let secret: Bytes;
    try {
      secret = await unseal(await key, utf8.encode(store), e.secret);
    } catch {
      return this.#wrong(e);
    }
    if (e.tries > 0) {
      e.tries = 0;
      await this.#keep();
    }
    const wrap = await keyFor(secret, e.salt, "doorstep device key", ["decrypt"]);
    const pkcs8 = await unseal(wrap, e.publicKey, e.deviceKey);
    const device = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    const rows = await keyFor(secret, e.salt, "doorstep rows", ["encrypt", "decrypt"]);
    pkcs8.fill(0);
    secret.fill(0);
    return { store, rows, device, publicKey: e.publicKey };
  }

  close(): void {
    this.db.close();
    this.file?.close();
  }

  /**
   * The tenth wrong PIN destroys the key: the share, and the secret that it locks. What
   * is unsent stays, sealed to the borough. Where there is nobody to seal it to, the
   * share alone goes: with the secret would go words that are nowhere else.
   */
  async #wrong(e: Entry): Promise<never> {
    if (e.unlock === "pin" && e.tries >= maxTries) {
      e.until = 0;
      await this.shares.wipe(e.store);
      if (e.recoveryKey.length > 0 && e.sealed) e.secret = e.deviceKey = new Uint8Array(0);
      await this.#keep();
      throw isDestroyed(e) ? destroyed() : tooMany();
    }
    throw new Refusal("wrong_secret", e.unlock === "pin" ? "That is not the PIN." : "That passkey does not open this store.");
  }

  #entry(store: string): Entry {
    const e = this.#entries.find((e) => e.store === store);
    if (!e) throw new Refusal("not_found", "Nobody is enrolled here under that name.");
    return e;
  }

  async #remove(store: string): Promise<void> {
    this.#entries = this.#entries.filter((e) => e.store !== store);
    await this.#keep();
  }

  /** Writes the list to both places before it counts. */
  async #keep(): Promise<void> {
    const bytes = writeEntries(this.#entries);
    const tx = this.db.transaction("people", "readwrite", { durability: "strict" });
    void tx.store.put(bytes, "all").catch(() => undefined); // tx.done tells
    await tx.done;
    if (!this.file) return;
    this.file.truncate(0);
    this.file.write(bytes, { at: 0 });
    this.file.flush();
  }

  #fromFile(): Uint8Array | undefined {
    if (!this.file) return undefined;
    const bytes = new Uint8Array(this.file.getSize());
    this.file.read(bytes, { at: 0 });
    return bytes.length > 0 ? bytes : undefined;
  }
}

function isDestroyed(e: Entry): boolean { return e.secret.length === 0; }

function destroyed(): Refusal {
  return new Refusal("destroyed", "Too many wrong PINs: what is on this tablet cannot be opened with a PIN any more. What was not sent is kept for the borough. Tell IT.");
}

function tooMany(): Refusal {
  return new Refusal("lapsed", "Too many wrong PINs. Sign in, with a signal, and then give the PIN. Nothing is lost.");
}

function lapsed(): Refusal {
  return new Refusal("lapsed", "This tablet was without the server for too long. Sign in, with a signal, to open it. Nothing is lost.");
}

/** Shares in files of their own: what is wiped there is overwritten, not only let go of. */
function sharesIn(folder: FileSystemDirectoryHandle): Shares {
  const file = (store: string): Promise<FileSystemSyncAccessHandle> => access(folder, `${store}.share`);
  return {
    async get(store) {
      const f = await file(store), share = new Uint8Array(f.getSize());
      f.read(share, { at: 0 });
      f.close();
      return share.length === shareBytes ? share : undefined;
    },
    async put(store, share) {
      const f = await file(store);
      f.write(share, { at: 0 });
      f.flush();
      f.close();
    },
    async wipe(store) {
      const f = await file(store);
      f.write(new Uint8Array(shareBytes), { at: 0 });
      f.flush();
      f.truncate(0);
      f.flush();
      f.close();
    },
  };
}

/** Where there are no files that can be overwritten a share is kept in memory alone: after each start of a page unlocking needs the server. */
function sharesInMemory(): Shares {
  const held = new Map<string, Bytes>();
  return { get: async (s) => held.get(s), put: async (s, share) => void held.set(s, share), wipe: async (s) => void held.delete(s) };
}

/** The key that a store's secret is sealed under. */
async function lockKey(unlock: Unlock, salt: Bytes, count: number, share: Bytes): Promise<CryptoKey> {
  if ("prf" in unlock) return keyFor(join(unlock.prf, share), salt, "doorstep lock by passkey", ["encrypt", "decrypt"]);
  const pin = await crypto.subtle.importKey("raw", utf8.encode(unlock.pin.normalize("NFC")), "PBKDF2", false, ["deriveBits"]);
  const stretched = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: count }, pin, 256);
  return keyFor(join(new Uint8Array(stretched), share), salt, "doorstep lock by PIN", ["encrypt", "decrypt"]);
}

function writeEntries(entries: Entry[]): Bytes {
  return encode(entries.map((e): Value => [
    e.store, e.login, e.unlock, e.salt, e.stretches, e.secret, e.deviceKey, e.publicKey, e.tries, e.device, e.leaseMS, e.until,
    e.seen, e.borough, e.user, e.recoveryKey, e.sealed, e.passkey,
  ]));
}

/** Undefined for what is not there or not whole. */
function readEntries(bytes: Uint8Array | undefined): Entry[] | undefined {
  if (!bytes) return undefined;
  try {
    return (decode(bytes) as Value[][]).map((e) => ({
      store: e[0] as string, login: e[1] as string, unlock: e[2] as Entry["unlock"], salt: e[3] as Bytes, stretches: e[4] as number,
      secret: e[5] as Bytes, deviceKey: e[6] as Bytes, publicKey: e[7] as Bytes, tries: e[8] as number, device: e[9] as string,
      leaseMS: e[10] as number, until: e[11] as number, seen: e[12] as number,
      borough: e[13] as string, user: e[14] as string, recoveryKey: e[15] as Bytes, sealed: e[16] as boolean, passkey: e[17] as Bytes,
    }));
  } catch {
    return undefined;
  }
}
