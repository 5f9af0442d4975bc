import type { Client, Family, FamilyID, Kind, RecordID, Status, SyncReport, View } from "@doorstep/client";
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Lookup } from "./look";

/** What every screen works with. */
export interface Desk {
  client: Client;
  kinds: Kind[];
  user: string;
  userName: string;
  role: string;
  online: boolean;
  /** The last exchange that succeeded, or 0. */
  syncedMS: number;
  lastSync: SyncReport | undefined;
  /** Names of colleagues, as the server told them. */
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

/** Everything of one family that can be shown, kept up to date. */
export function useFile(family: FamilyID): Lookup | undefined {
  const { client, kinds, names, user } = useDesk();
  const [views, reload, failed] = useLoaded(() => client.views(family), [client, family]);
  useEffect(() => {
    let waiting: number | undefined;
    const stop = client.on("record", (e) => {
      if (e.family !== family) return;
      clearTimeout(waiting);
      waiting = window.setTimeout(reload, 150);
    });
    return () => { clearTimeout(waiting); stop(); };
  }, [client, family, reload]);
  if (!views && failed !== undefined) throw failed; // shown by the screen around it
  if (!views) return undefined;
  return { views: new Map(views.map((v): [RecordID, View] => [v.record, v])), kinds, names, user };
}

/** Where this person's words in a record have got to, kept up to date. */
export function useStatus(record: RecordID): Status | undefined {
  const { client, syncedMS } = useDesk();
  const [status, reload] = useLoaded(() => client.status(record), [client, record]);
  useEffect(() => client.on("record", (e) => { if (e.record === record) reload(); }), [client, record, reload]);
  useEffect(() => reload(), [syncedMS]);
  return status;
}
