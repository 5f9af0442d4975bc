import type { Client, Family } from "@doorstep/client";
import { useEffect, useRef, useState } from "preact/hooks";

/** What GET /v1/due tells of one child. */
export interface ChildDue {
  family: string;
  child: string;
  visits: VisitDue[];
  failed?: string;
  see_by?: string;
  unseen?: string;
}

/** One day by which a child must be visited, and why: on what that rests, and how long from which day. */
export interface VisitDue {
  type: string;
  by: string;
  state: string;
  basis: string;
  every: number;
  unit: string;
  from: string;
  alone: boolean;
  bedroom: boolean;
  home: boolean;
}

/** A file in which this person may begin records, and that no tablet of theirs carries, or not with what it is called. */
export interface File {
  family: string;
  /** Whose it is; empty where they may not know. */
  name: string;
  kinds: string[];
}

/** What the server worked out, and when: kept for when it cannot be asked. */
export interface Facts {
  atMS: number;
  children: ChildDue[];
  /** Names of colleagues, by user id, and of their tablets, by tabletKey. */
  names: { [user: string]: string };
  files?: File[];
}

/** The answer itself. */
interface Due {
  children: ChildDue[];
  people?: { [user: string]: string };
  tablets?: { [device: string]: string };
  files?: File[];
}

const factsName = "facts", syncedName = "synced";

/** How often at most the server is asked, and an exchange is written down: there is one at each pause of somebody who types. */
const askEveryMS = 20_000, noteEveryMS = 60_000;

/** What is due and who is who, as the server told it last: asked again after each exchange. */
export function useFacts(client: Client, syncedMS: number, online: boolean): Facts | undefined {
  const [facts, setFacts] = useState<Facts>();
  useEffect(() => {
    client.recall<Facts>(factsName).then((kept) => { if (kept) setFacts((now) => now ?? kept); }, () => undefined);
  }, [client]);
  const asked = useRef(0);
  useEffect(() => {
    if (!online) return undefined;
    const ask = async () => {
      asked.current = Date.now();
      const d = await client.api<Due>("GET", "/v1/due");
      const before = await client.recall<Facts>(factsName);
      const now = { atMS: Date.now(), children: d.children, names: { ...before?.names, ...d.people, ...asTablets(d.tablets) }, files: d.files ?? [] };
      setFacts(now);
      await client.remember(factsName, now);
    };
    // Who could not be asked is asked again with the next exchange.
    const timer = setTimeout(() => void ask().catch(() => undefined), Math.max(0, asked.current + askEveryMS - Date.now()));
    return () => clearTimeout(timer);
  }, [client, syncedMS, online]);
  return facts;
}

/** When everything was last exchanged with the server, also before the tablet was locked; 0: not known. */
export function useSynced(client: Client): number {
  const [synced, setSynced] = useState(0);
  const noted = useRef(0);
  useEffect(() => {
    client.recall<number>(syncedName).then((ms) => { if (ms) setSynced((now) => Math.max(now, ms)); }, () => undefined);
    return client.on("sync", (report) => {
      if (report.refusal) return;
      const now = Date.now();
      setSynced(now);
      if (now - noted.current < noteEveryMS) return;
      noted.current = now;
      client.remember(syncedName, now).catch(() => undefined);
    });
  }, [client]);
  return synced;
}

/** Under which name a tablet stands among those of people. */
export function tabletKey(device: string): string { return "tablet " + device; }

function asTablets(called: { [device: string]: string } = {}): { [key: string]: string } {
  return Object.fromEntries(Object.entries(called).map(([device, name]) => [tabletKey(device), name]));
}

/** The file of this id that the server told of, if it is one. */
export function fileOf(facts: Facts | undefined, family: string): File | undefined {
  return facts?.files?.find((f) => f.family === family);
}

/** Of the files that the server told of, those that are not on this tablet. */
export function filesElsewhere(facts: Facts | undefined, here: Family[] | undefined): File[] {
  return (facts?.files ?? []).filter((f) => !here?.some((h) => h.family === f.family && h.standing === "granted"));
}

/** The state of a day as it is now: what was due soon when the server told of it may be overdue. */
export function stateOn(due: VisitDue, today: string): string {
  return due.by < today ? "overdue" : due.state;
}
