/** What is written on this device is sealed: AES-256-GCM, a random nonce each, bound to its place. */

export type Bytes = Uint8Array<ArrayBuffer>;

const nonceBytes = 12;

/** Bytes of a random source. */
export function random(n: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(n));
}

export async function seal(key: CryptoKey, place: Uint8Array, plain: Uint8Array): Promise<Bytes> {
  const iv = random(nonceBytes);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: place as Bytes }, key, plain as Bytes);
  return join(iv, new Uint8Array(sealed));
}

/** Throws if it was sealed with another key, for another place, or was altered. */
export async function unseal(key: CryptoKey, place: Uint8Array, sealed: Uint8Array): Promise<Bytes> {
  const s = sealed as Bytes;
  const iv = s.subarray(0, nonceBytes);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: place as Bytes }, key, s.subarray(nonceBytes)));
}

export function join(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** A key for one purpose out of a secret (HKDF, RFC 5869). */
export async function keyFor(secret: Bytes, salt: Bytes, purpose: string, usages: KeyUsage[]): Promise<CryptoKey> {
  const ikm = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode(purpose);
  return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt, info }, ikm, { name: "AES-GCM", length: 256 }, false, usages);
}
