import type { Client, Note } from "@doorstep/client";
import { useCallback, useEffect, useState } from "preact/hooks";
import { Box } from "./parts/basic";
import { whyWords } from "./words/refusals";
import { t } from "./words/words";

/** Something about this tablet that its person must know whatever they are doing. Never about a family. */
interface Alarm {
  /** What it is about: one that comes again takes the place of the one before. */
  about: string;
  words: string;
}

/** What nobody has said yet that they have read. */
export interface Alarms {
  list: Alarm[];
  read: (about: string) => void;
}

/** What goes wrong with the second copy alone; words are safe in the first. */
const ofSecondCopy = ["outbox", "spare", "vault"];

/** News that concern the tablet as a whole. What concerns a record is said there. */
const ofTheTablet: Note["kind"][] = ["forked", "update", "clock", "kept_here", "restored", "rewritten", "access_ended"];

/** Hears from the first moment on: what was lost and brought back is told while the tablet is being unlocked. */
export function useAlarms(client: Client): Alarms {
  const [list, setList] = useState<Alarm[]>([]);
  const read = useCallback((about: string) => setList((now) => now.filter((a) => a.about !== about)), []);
  useEffect(() => {
    const raise = (about: string, words: string) => setList((now) => now.some((a) => a.about === about && a.words === words) ? now
      : [...now.filter((a) => a.about !== about), { about, words }]);
    const stops = [
      client.on("recovered", (r) => raise("recovered", t(`alarm.recovered.${r.why}`, { n: r.changes + r.drafts }))),
      client.on("fault", (f) => {
        const about = ofSecondCopy.includes(f.code) ? "second" : f.code;
        raise(about, about === "second" ? t("alarm.second") : about === "storage" ? t("alarm.storage") : about === "worker" ? whyWords(f) : t("alarm.engine"));
      }),
      client.on("storage", (s) => { if (s.low) raise("low", t("outbox.low")); }),
      client.on("note", (n) => { if (ofTheTablet.includes(n.kind) && n.plain !== "") raise(n.kind, whyWords(n)); }),
      client.on("state", (s) => { if (s === "locked") setList([]); }), // the next person has a store of their own
    ];
    return () => { for (const stop of stops) stop(); };
  }, [client]);
  return { list, read };
}

export function AlarmBoxes(props: { alarms: Alarms }) {
  const { list, read } = props.alarms;
  return (
    <div role="alert">
      {list.map((a) => (
        <Box key={a.about} kind="risk">
          <p class="govuk-body">{a.words} <button type="button" class="plain-button" onClick={() => read(a.about)}>{t("alarm.read")}</button></p>
        </Box>
      ))}
    </div>
  );
}
