import type { Client, Credential } from "@doorstep/client";
import { useEffect, useState } from "preact/hooks";

/** Where the borough's sign-in service sends people back to: a name of the app's own page. */
const backPath = "/app/signed-in";

const kept = "doorstep-signing-in"; // of one tab, until it is back: of no use without what the service adds

interface Kept {
  ticket: string;
  /** Where the person was. */
  place: string;
}

/** Leaves for the borough's sign-in service. What is open on this tablet is locked by that, and nothing is lost. */
export async function leaveToSignIn(client: Client): Promise<void> {
  const { url, ticket } = await client.beginOpenID(location.origin + backPath);
  if (!/^https?:$/.test(new URL(url).protocol)) throw new Error("bug: a sign-in service that is no web page");
  sessionStorage.setItem(kept, JSON.stringify({ ticket, place: location.hash } satisfies Kept));
  location.assign(url);
}

/** What somebody came back from the sign-in service with. */
export type Back = { credential: Credential } | "failed";

/** Takes what this page was called back with, once, out of its address; undefined: it was opened otherwise. */
export function takeBack(): Back | undefined {
  if (location.pathname !== backPath) return undefined;
  const said = new URLSearchParams(location.search);
  const before = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  const was = before === null ? undefined : JSON.parse(before) as Kept;
  history.replaceState(null, "", "/app/" + (was?.place ?? ""));
  const code = said.get("code"), state = said.get("state"), issuer = said.get("iss");
  if (!was || !code || !state) return "failed";
  return { credential: { openid: { ticket: was.ticket, code, state, ...(issuer ? { issuer } : {}) } } };
}

/** Whether people of this borough sign in with its own service; false while that is not known. */
export function useOpenID(client: Client): boolean {
  const [has, setHas] = useState(false);
  useEffect(() => { client.about().then((a) => setHas(a.sign_in.includes("openid")), () => undefined); }, [client]);
  return has;
}
