import { useEffect, useMemo, useState } from "preact/hooks";
import type { About, Client, Kind } from "@doorstep/client";

const stored = "doorstep-kinds";

/** What the borough calls kinds of records, by kind, as it was last heard: nothing about anybody. */
function remembered(): { [kind: string]: string } {
  try {
    return named(JSON.parse(localStorage.getItem(stored) ?? "{}"));
  } catch {
    return {};
  }
}

function named(said: unknown): { [kind: string]: string } {
  return Object.fromEntries(Object.entries(said ?? {}).filter((e): e is [string, string] => typeof e[1] === "string"));
}

/** The kinds as the borough calls them, also where there is no signal. */
export function useLabelled(client: Client, kinds: Kind[] | undefined, online: boolean): Kind[] | undefined {
  const [names, setNames] = useState(remembered);
  useEffect(() => {
    if (!online) return;
    client.about().then((a: About) => {
      const now = named(a["kinds"]);
      localStorage.setItem(stored, JSON.stringify(now));
      setNames((old) => JSON.stringify(old) === JSON.stringify(now) ? old : now);
    }, () => undefined);
  }, [client, online]);
  return useMemo(() => kinds?.map((k) => names[k.id] ? { ...k, name: names[k.id] as string } : k), [kinds, names]);
}
