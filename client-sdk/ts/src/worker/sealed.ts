/**
 * What is unsent, encrypted to the borough as well (SPEC 7.13): HPKE (RFC 9180) to
 * the recovery key that the server named at enrolment. Two people of the borough open
 * it together; this device cannot.
 */
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { encode } from "../cbor";
import { fromHex } from "../ids";
import { join, type Bytes } from "./seal";

/** To whom a person's unsent work is sealed; none of it is secret. */
export interface SealTo {
  borough: string;
  device: string;
  user: string;
  /** The recovery key: a P-256 point of 65 bytes. */
  key: Bytes;
}

/** An own change that the server has not made durable, or what one would be. */
export interface Unsent {
  id: Uint8Array;
  /** What its signature is over. */
  message: Uint8Array;
  prev: Uint8Array;
  body: Uint8Array;
}

const magic = "doorstep-outbox-v1\n";
const keyIDBytes = 8;
const utf8 = new TextEncoder();

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** What a sealed outbox begins with, and what binds its items to it. */
export async function headerOf(to: SealTo): Promise<Bytes> {
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", to.key)).subarray(0, keyIDBytes);
  const borough = utf8.encode(to.borough);
  return join(utf8.encode(magic), id, fromHex(to.device), fromHex(to.user), Uint8Array.of(borough.length), borough);
}

/**
 * Seals one item: its length in four bytes, the encapsulated key, the ciphertext.
 * ephemeral is given by tests alone; else it is drawn for each item.
 */
export async function sealItem(key: Bytes, header: Bytes, plain: Bytes, ephemeral?: CryptoKeyPair): Promise<Bytes> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(key);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: header, ...(ephemeral ? { ekm: ephemeral } : {}) }, plain);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, enc.byteLength + ct.byteLength);
  return join(length, new Uint8Array(enc), new Uint8Array(ct));
}

/** What an item says that is a note: written at a time, by a clock with an offset from UTC. */
export function noteBody(text: string, unixMS: number, offsetMin: number): Bytes {
  return encode([text, unixMS, offsetMin]);
}

/** Seals one person's changes, each signed by the device's key as the tip of its chain. */
export class Sealer {
  #header: Promise<Bytes> | undefined;

  constructor(readonly to: SealTo, readonly sign: (message: Uint8Array) => Promise<Bytes>) {}

  /** The items of some changes, one after the other. */
  async items(list: Unsent[]): Promise<Bytes> {
    const header = await (this.#header ??= headerOf(this.to));
    return join(...await Promise.all(list.map(async (u) =>
      sealItem(this.to.key, header, join(u.prev, await this.sign(u.message), u.body)))));
  }
}
