/** The way to the server: sessions, proofs of the device's key, syncs and events (SPEC 7). */
import type { About, Credential, Session } from "../client";
import { Reader } from "../cbor";
import { fromHex, newID } from "../ids";
import { Refusal } from "../refusal";
import { random, type Bytes } from "./seal";
import type { Keys, Share } from "./vault";

/** A session as it is kept. */
export interface Tokens {
  access: string;
  refresh: string;
  /** Names the refresh that is under way, so that asking again gives the same. */
  refreshID: string;
  bearer: boolean;
  /** When the access token lapses, by this device's clock, in milliseconds. */
  until: number;
  /** How far the server's clock was ahead of this device's, in milliseconds. */
  aheadMS?: number;
  who: Session;
}

/** What the server told at enrolment, to be pinned. */
export interface Pinned {
  borough: string;
  user: string;
  device: string;
  replyKey: string;
  checkpointKey: string;
}

interface SessionAnswer {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token: string;
  user: string;
  name: string;
  role: string;
  device?: string;
  signed_in_ms: number;
  custody_only: boolean;
}

interface ShareAnswer {
  share: string;
  lease_ms: number;
}

type EnrolAnswer = SessionAnswer & ShareAnswer & { borough: string; reply_key: string; checkpoint_key: string; recovery_key?: string };

/** A refusal of the server, with how long it asked to wait. */
export class ServerRefusal extends Refusal {
  constructor(readonly number: number, code: string, plain: string, readonly retryAfterMS: number) {
    super(code, plain);
  }
}

const unavailable = 90, unauthenticated = 50;
const nonceLastsMS = 120_000, requestMS = 120_000, silenceMS = 45_000;
const postTries = 3; // of one request whose answer does not come
/** A token that lapses sooner than this may have lapsed when it arrives. */
const tokenMarginMS = 20_000;
const utf8 = new TextEncoder();

export class Transport {
  #keys: Keys | undefined;
  #tokens: Tokens | undefined;
  #seat: Pinned | undefined;
  #nonce = "";
  #nonceAt = 0;
  #aheadMS = 0;
  #refreshing: Promise<Tokens> | undefined;
  /** The lapsed access token in whose place the refresh token was shown. */
  #shownFor = "";

  /** keep is called with each new session, and must have it on disk before it returns. */
  constructor(readonly server: string, readonly keep: (t: Tokens | undefined) => Promise<void>) {}

  get session(): Session | undefined { return this.#tokens?.who; }

  /** Signs requests with these keys from now on; tokens are the session that was kept, seat is whose device it is. */
  use(keys: Keys | undefined, tokens: Tokens | undefined, seat: Pinned | undefined): void {
    this.#keys = keys;
    this.#tokens = tokens;
    this.#aheadMS = tokens?.aheadMS ?? 0;
    this.#seat = seat;
  }

  /** Whether there is a session, if only a custody session: nobody signs in for it. */
  async begun(): Promise<boolean> {
    if (!this.#tokens) await this.#custody(notSignedIn()).catch(() => undefined);
    return this.#tokens !== undefined;
  }

  about(): Promise<About> { return this.#json("GET", "/v1/about"); }

  /** The server's part of a tablet's lock; the tablet need not be open. */
  async share(credential: Credential, device: string): Promise<Share> {
    return shareOf(await this.#json("POST", "/v1/share", { ...credential, device }));
  }

  async enrol(credential: Credential, code: string, name: string): Promise<{ pinned: Pinned; share: Share; recoveryKey: Bytes }> {
    const keys = this.#keys!;
    const normal = code.toUpperCase().replace(/[- ]/g, "").replace(/0/g, "O").replace(/1/g, "I");
    const proof = await sign(keys.device, utf8.encode("doorstep-enrol-v1\0" + normal));
    const a = await this.#json<EnrolAnswer>("POST", "/v1/devices", {
      ...credential, code, name, public_key: base64url(keys.publicKey), proof: base64url(proof),
    });
    await this.#begin(tokensOf(a));
    const pinned = { borough: a.borough, user: a.user, device: a.device!, replyKey: a.reply_key, checkpointKey: a.checkpoint_key };
    return { pinned, share: shareOf(a), recoveryKey: fromBase64url(a.recovery_key ?? "") };
  }

  beginOpenID(redirect: string, fresh: boolean): Promise<{ url: string; ticket: string }> {
    return this.#json("POST", "/v1/openid/begin", { redirect, fresh });
  }

  async signIn(credential: Credential, device: string): Promise<Session> {
    await this.#begin(tokensOf(await this.#json("POST", "/v1/sign-in", { ...credential, device })));
    return this.#tokens!.who;
  }

  async signOut(): Promise<void> {
    if (!this.#tokens) return;
    await this.#signedIn((auth) => this.#json("POST", "/v1/sign-out", undefined, auth));
    await this.#begin(undefined);
  }

  async stepUp(credential: Credential): Promise<void> {
    const a = await this.#signedIn((auth) => this.#json<{ signed_in_ms: number }>("POST", "/v1/step-up", credential, auth));
    const t = this.#tokens!;
    await this.#begin({ ...t, who: { ...t.who, signedInMS: a.signed_in_ms } });
  }

  /**
   * A call of the JSON API as the person signed in. What is posted goes under a name, and again if its answer does
   * not come: the server carries it out once (SPEC 8.4).
   */
  async api(method: string, path: string, body: unknown, request?: string): Promise<unknown> {
    const name = method === "POST" ? request ?? newID() : undefined;
    for (let left = name ? postTries : 1; ; ) {
      try {
        return await this.#signedIn((auth) => this.#json(method, path, body, auth, name));
      } catch (e) {
        if (!(e instanceof ServerRefusal) || e.number !== 0 || --left === 0) throw e;
      }
    }
  }

  /** Sends one frame and returns the frame that answers it. */
  async sync(wire: Bytes): Promise<Bytes> {
    return this.#signedIn(async (auth) => {
      const response = await this.#send("POST", "/v1/sync", wire, auth, { type: "application/doorstep-sync" });
      return new Uint8Array(await response.arrayBuffer());
    }, true);
  }

  /** Calls wake when there may be news, until the stream or signal ends. */
  async listen(wake: () => void, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const both = AbortSignal.any([signal, silence.signal]);
    const response = await this.#signedIn((auth) => this.#send("GET", "/v1/events", undefined, auth, { signal: both }));
    let timer = setTimeout(() => silence.abort(), silenceMS);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    try {
      let line = "";
      for (let r = await reader.read(); !r.done; r = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMS);
        const lines = (line + r.value).split("\n");
        line = lines.pop()!;
        if (lines.some((l) => l.trim() === "event: pull")) wake();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #begin(t: Tokens | undefined): Promise<void> {
    this.#tokens = t && { ...t, aheadMS: this.#aheadMS };
    await this.keep(this.#tokens);
  }

  /**
   * Makes a call with the access token; with a new one if it is known to have lapsed, and once more
   * if the server says so: over a poor signal a day's work must not go up to be refused. The new one is that
   * of a custody session where no other can be had because the person's access ended. The first sync after a
   * lapse goes up with the refresh token instead (SPEC 7.8): what was written is not to wait for a round trip.
   */
  async #signedIn<T>(call: (tokens: Tokens) => Promise<T>, isSync = false): Promise<T> {
    const t = this.#tokens;
    if (!t) throw notSignedIn();
    const lapsed = Date.now() > t.until - tokenMarginMS;
    const shows = lapsed && isSync && t.refresh !== "" && !t.bearer && this.#shownFor !== t.access;
    if (!lapsed || shows) {
      try {
        const answer = await call(shows ? { ...t, access: t.refresh } : t);
        if (shows) this.#shownFor = t.access; // the next trades it in
        return answer;
      } catch (e) {
        if (!(e instanceof ServerRefusal) || e.number !== unauthenticated) throw e;
        if (shows) this.#shownFor = t.access;
      }
    }
    return call(await this.#refresh(t));
  }

  /** Begins a session by the device's key alone, for words of somebody whose access ended (SPEC 7.8). */
  async #custody(why: unknown): Promise<void> {
    const { user, device } = this.#seat ?? {};
    if (!user || !device) throw why;
    let a: SessionAnswer;
    try {
      a = await this.#json("POST", "/v1/sign-in/custody", { user, device });
    } catch (e) {
      if (!(e instanceof ServerRefusal) || e.number === 0) throw e;
      if (this.#tokens?.who.custodyOnly) await this.#begin(undefined); // access came back: they sign in
      throw why;
    }
    await this.#begin(tokensOf({ ...a, name: a.name || (this.#tokens?.who.name ?? "") }));
  }

  async #refresh(lapsed: Tokens): Promise<Tokens> {
    if (this.#tokens && this.#tokens.access !== lapsed.access) return this.#tokens;
    this.#refreshing ??= this.#trade().finally(() => { this.#refreshing = undefined; });
    return this.#refreshing;
  }

  async #trade(): Promise<Tokens> {
    try {
      await this.#renew();
    } catch (e) {
      if (!(e instanceof ServerRefusal) || e.number !== unauthenticated) throw e;
      await this.#custody(e);
    }
    return this.#tokens!;
  }

  async #renew(): Promise<void> {
    let t = this.#tokens;
    if (!t?.refresh) throw notSignedIn();
    if (!t.refreshID) {
      t = { ...t, refreshID: newID() };
      await this.#begin(t); // before it is sent: its answer may be lost
    }
    const a = await this.#json<SessionAnswer>("POST", "/v1/token/refresh", { refresh_token: t.refresh, request_id: t.refreshID });
    await this.#begin(tokensOf(a));
  }

  async #json<T>(method: string, path: string, body?: unknown, tokens?: Tokens, name?: string): Promise<T> {
    const bytes = body === undefined || body === null ? undefined : utf8.encode(JSON.stringify(body));
    const response = await this.#send(method, path, bytes, tokens, { type: bytes && "application/json", name });
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Sends a request with its proof; once more with the nonce that the server asks for. */
  async #send(
    method: string, path: string, body?: Bytes, tokens?: Tokens, extra: Extra = {},
  ): Promise<Response> {
    for (let first = true; ; first = false) {
      const headers: Record<string, string> = {};
      if (extra.type) headers["Content-Type"] = extra.type;
      if (extra.name) headers["Idempotency-Key"] = `"${extra.name}"`;
      if (tokens) headers["Authorization"] = (tokens.bearer ? "Bearer " : "DPoP ") + tokens.access;
      if (this.#keys && !tokens?.bearer) headers["DPoP"] = await this.#proof(method, path, tokens?.access);
      const response = await this.#fetch(path, { method, headers, body, signal: extra.signal ?? AbortSignal.timeout(requestMS) });
      const nonce = response.headers.get("DPoP-Nonce"), date = Date.parse(response.headers.get("Date") ?? "");
      if (date > 0) this.#aheadMS = date - Date.now();
      if (nonce) [this.#nonce, this.#nonceAt] = [nonce, performance.now()];
      if (response.ok) return response;
      if (!first || !nonce || response.status !== 401) throw await refusalOf(response);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.server + path, { ...init, credentials: "omit", cache: "no-store", redirect: "error" });
    } catch {
      throw unreached();
    }
  }

  /**
   * The proof that a request comes from this device (SPEC 7.9). It is of the server's time, as far as that is
   * known: with a clock that is wrong each first request would have to go up twice.
   */
  async #proof(method: string, path: string, token?: string): Promise<string> {
    const { device, publicKey } = this.#keys!;
    const header = {
      typ: "dpop+jwt", alg: "ES256",
      jwk: { kty: "EC", crv: "P-256", x: base64url(publicKey.subarray(1, 33)), y: base64url(publicKey.subarray(33)) },
    };
    const claims: Record<string, unknown> = {
      jti: base64url(random(12)), htm: method, htu: this.server + path.split("?")[0], iat: Math.floor((Date.now() + this.#aheadMS) / 1000),
    };
    if (token) claims["ath"] = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(token))));
    if (this.#nonce && performance.now() - this.#nonceAt < nonceLastsMS) claims["nonce"] = this.#nonce;
    const signed = [header, claims].map((part) => base64url(utf8.encode(JSON.stringify(part)))).join(".");
    return signed + "." + base64url(await sign(device, utf8.encode(signed)));
  }
}

/** What goes with a request beside its body. */
interface Extra { type?: string; signal?: AbortSignal; name?: string }

/** ES256: r and s, 32 bytes each, as WebCrypto gives them. */
export async function sign(key: CryptoKey, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, message as Bytes));
}

export function unreached(): Refusal {
  return new ServerRefusal(0, "unavailable", "The server cannot be reached. Your words are on this device.", 0);
}

function notSignedIn(): Refusal {
  return new ServerRefusal(unauthenticated, "unauthenticated", "Please sign in again. Your words are on this device and will be sent after that.", 0);
}

function shareOf(a: ShareAnswer): Share {
  return { share: fromHex(a.share), leaseMS: a.lease_ms };
}

function tokensOf(a: SessionAnswer): Tokens {
  return {
    access: a.access_token, refresh: a.refresh_token, refreshID: "", bearer: a.token_type === "Bearer",
    until: Date.now() + a.expires_in * 1000,
    who: { user: a.user, name: a.name, role: a.role, device: a.device ?? "", signedInMS: a.signed_in_ms, custodyOnly: a.custody_only },
  };
}

/** The server's reason, in the form of the route, or by the status if a proxy answered. */
async function refusalOf(r: Response): Promise<ServerRefusal> {
  const seconds = Number(r.headers.get("Retry-After") ?? 0);
  const wait = seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0;
  try {
    if (r.headers.get("Content-Type") === "application/doorstep-sync") {
      // A map whose first key is 1, the code (SPEC 7.7); the engine knows its words.
      const b = new Uint8Array(await r.arrayBuffer());
      const code = b[0]! >> 5 === 5 && b[1] === 1 ? new Reader(b.subarray(2)).value() : 0;
      if (typeof code === "number" && code > 0) return new ServerRefusal(code, "", "", wait);
    }
    const p = await r.json() as { code: number; name: string; plain: string };
    if (Number.isInteger(p.code) && p.code > 0) return new ServerRefusal(p.code, p.name, p.plain, wait);
  } catch {
    // Not one of ours.
  }
  const byStatus: Record<number, number> = { 401: unauthenticated, 403: 55, 413: 5, 429: 92 };
  return new ServerRefusal(byStatus[r.status] ?? unavailable, "unavailable", "The server cannot answer now. Your words are on this device.", wait);
}

function fromBase64url(s: string): Bytes {
  return Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
}

function base64url(b: Uint8Array): string {
  return btoa(String.fromCharCode(...b)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

