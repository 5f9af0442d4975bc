import type { Client, Family, FamilyID, Kind, RecordID, Status, SyncReport, View } from "@doorstep/client";
import { hex } from "./agreed";
import type { Facts } from "./facts";
import { Pace, type Files } from "./files";
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Lookup } from "./look";

/** What every screen works with. */
export interface Desk {
  client: Client;
  files: Files;
  kinds: Kind[];
  /** What the schema says in English, in the person's language. */
  say: (english: string) => string;
  user: string;
  userName: string;
  role: string;
  online: boolean;
  /** The last exchange that succeeded, if only before the tablet was locked; 0: none is known of. */
  syncedMS: number;
  lastSync: SyncReport | undefined;
  /** What the server worked out, with when; undefined: it was never reached. */
  facts: Facts | undefined;
  /** Names of colleagues and of their tablets, as the server told them. */
  names: Map<string, string>;
  learn(names: { [user: string]: string }): void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("bug: a screen outside the desk");
  return desk;
}

/** Calls load now and again whenever what it depends on says so; keeps the last answer. */
export function useLoaded<T>(load: () => Promise<T>, deps: unknown[]): [T | undefined, () => void, unknown] {
  const [value, setValue] = useState<T>();
  const [failed, setFailed] = useState<unknown>();
  const turn = useRef(0);
  const reload = useCallback(() => {
    const mine = ++turn.current;
    load().then(
      (v) => { if (mine === turn.current) { setValue(v); setFailed(undefined); } },
      (e: unknown) => { if (mine === turn.current) setFailed(e ?? true); },
    );
  }, deps);
  useEffect(() => {
    reload();
    return () => { turn.current++; };
  }, [reload]);
  return [value, reload, failed];
}

export function useFamilies(): Family[] | undefined {
  const { client, syncedMS } = useDesk();
  const [families, reload] = useLoaded(() => client.families(), [client]);
  useEffect(() => reload(), [syncedMS]);
  return families;
}

/** Everything of one family that can be shown, kept up to date; undefined until all of it is read. */
export function useFile(family: FamilyID): Lookup | undefined {
  const look = usePart(family);
  return look?.whole ? look : undefined;
}

/** What is read already of one family, kept up to date; `whole` tells whether that is all. */
export function usePart(family: FamilyID | undefined): Lookup | undefined {
  const { files, kinds, names, user } = useDesk();
  const [, again] = useState({});
  useEffect(() => family === undefined ? undefined : files.watch(family, () => again({})), [files, family]);
  if (family === undefined) return undefined;
  const { views, whole, failed } = files.of(family);
  if (!whole && failed !== undefined) throw failed; // shown by the screen around it
  return { views, kinds, names, user, whole };
}

/** What is read already of each of several families, kept up to date. */
export function useParts(families: FamilyID[]): Lookup[] {
  const { files, kinds, names, user } = useDesk();
  const [, again] = useState({});
  useEffect(() => {
    const stops = families.map((f) => files.watch(f, () => again({})));
    return () => { for (const stop of stops) stop(); };
  }, [files, families.join()]);
  return families.map((f) => files.of(f)).filter((f) => f.whole).map(({ views, whole }) => ({ views, kinds, names, user, whole }));
}

/** One record, from what is read already or else by itself, kept up to date. */
export function useRecord(record: RecordID): [View | undefined, unknown] {
  const { files } = useDesk();
  const [failed, setFailed] = useState<unknown>();
  const [, again] = useState({});
  const known = files.find(record);
  useEffect(() => {
    if (!known) files.read(record).then(() => again({}), (e: unknown) => setFailed(e ?? true));
  }, [files, record, known === undefined]);
  usePart(known?.family);
  return [known, failed];
}

/** Where this person's words in a record have got to, kept up to date. */
export function useStatus(record: RecordID): Status | undefined {
  const { client, syncedMS } = useDesk();
  const [status, reload] = useLoaded(() => client.status(record), [client, record]);
  useNews(reload, (e) => e.record === record);
  useEffect(() => { if (status) reload(); }, [syncedMS]);
  return status;
}

/** The hash of what a record says now, which signatures and copies are for; undefined until it is known. */
export function useContent(view: View | undefined): string | undefined {
  const { client } = useDesk();
  const [content] = useLoaded(async () => view && hex(await client.contentHash(view.record)), [client, view]);
  return content;
}

/** Calls fn when records changed, at a pace that typing can bear. */
export function useNews(fn: () => void, concerns: (e: { family: FamilyID; record: RecordID }) => boolean = () => true): void {
  const { client } = useDesk();
  useEffect(() => {
    const pace = new Pace(fn);
    const stop = client.on("record", (e) => { if (concerns(e)) pace.news(); });
    return () => { stop(); pace.end(); };
  }, [client, fn]);
}
