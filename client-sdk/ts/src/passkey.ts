/**
 * Unlocking by a passkey of this device: its PRF extension (Web Authentication, level 3)
 * gives 32 bytes that nothing but the passkey, and the person's finger, face or device
 * PIN, can give again. No server takes part; the passkey signs nobody in.
 */
import { Refusal } from "./refusal";
import type { Unlock } from "./client";

/** One salt for all: each passkey has a secret of its own. */
const purpose = new TextEncoder().encode("doorstep-tablet-lock-v1");

/** Whether this device may have such passkeys; some tell only when one is made. */
export async function canUsePasskey(): Promise<boolean> {
  if (typeof PublicKeyCredential === "undefined") return false;
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
}

/** Makes a passkey for somebody, and gives what unlocks by it. Fails with `no_passkey`. */
export async function newPasskey(login: string): Promise<Unlock> {
  const random = (n: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(n));
  const made = await asked(() => navigator.credentials.create({ publicKey: {
    rp: { name: "Doorstep" }, user: { id: random(16), name: login, displayName: login }, challenge: random(32),
    pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
    authenticatorSelection: { authenticatorAttachment: "platform", residentKey: "preferred", userVerification: "required" },
    extensions: { prf: { eval: { first: purpose } } },
  } }));
  const passkey = new Uint8Array(made.rawId);
  if (!made.getClientExtensionResults().prf?.enabled) throw none("its passkeys give no secret");
  return secretOf(made) ? { passkey, prf: secretOf(made)! } : usePasskey(passkey);
}

/** Asks the person for a passkey that was made here before. Fails with `no_passkey`. */
export async function usePasskey(passkey: Uint8Array): Promise<Unlock> {
  const given = await asked(() => navigator.credentials.get({ publicKey: {
    challenge: crypto.getRandomValues(new Uint8Array(32)), userVerification: "required",
    allowCredentials: [{ type: "public-key", id: passkey.slice() }],
    extensions: { prf: { eval: { first: purpose } } },
  } }));
  const prf = secretOf(given);
  if (!prf) throw none("the passkey gave no secret");
  return { passkey, prf };
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const c = await ask();
    if (c) return c as PublicKeyCredential;
  } catch (e) {
    throw none(e instanceof Error ? e.name : "unknown");
  }
  throw none("nothing was given");
}

function secretOf(c: PublicKeyCredential): Uint8Array | undefined {
  const first = c.getClientExtensionResults().prf?.results?.first;
  if (!first) return undefined;
  return ArrayBuffer.isView(first) ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength).slice() : new Uint8Array(first).slice();
}

function none(detail: string): Refusal {
  return new Refusal("no_passkey", "This device did not give its passkey. Try again, or use a PIN.", detail);
}
