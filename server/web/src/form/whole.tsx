import type { FieldKind, Path, RecordID, Value } from "@doorstep/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import type { Lookup } from "../look";
import { plain } from "../parts/basic";
import { t, timeWords } from "../words/words";
import { ValueInput } from "./input";

/** How long somebody pauses before a line that is set whole becomes a change. */
const pauseMS = 500;

/** Within this the record is read again, and shows what was kept, or who wrote otherwise. */
const settleMS = 1_000;

/** One field or part that is set whole. Choices are kept at once, typing at a pause. */
export function Whole(props: { look: Lookup; record: RecordID; path: Path; field: FieldKind; value: Value; needed?: boolean }) {
  const { client } = useDesk();
  const { field } = props;
  const [mine, setMine] = useState<{ value: Value } | undefined>();
  const [state, setState] = useState("");
  const waiting = useRef<number | undefined>(undefined);
  const last = useRef<{ value: Value } | undefined>(undefined);

  const keep = () => {
    clearTimeout(waiting.current);
    const now = last.current;
    if (!now) return;
    last.current = undefined;
    setState(t("record.saving"));
    client.apply(props.record, { op: "set", path: props.path, value: now.value }).then(
      () => {
        setState(t("record.saved", { time: timeWords(Date.now()) }));
        waiting.current = window.setTimeout(() => { if (!last.current) setMine(undefined); }, settleMS);
      },
      (e: unknown) => setState(t("record.notsaved", { why: plain(e) })),
    );
  };
  useEffect(() => { if (!last.current) setMine(undefined); }, [JSON.stringify(props.value, (_, v: unknown) => v instanceof Uint8Array ? [...v] : v)]);
  const write = (value: Value) => {
    last.current = { value };
    setMine({ value });
    clearTimeout(waiting.current);
    if (field.type !== "line") keep();
    else waiting.current = window.setTimeout(keep, pauseMS);
  };
  useEffect(() => {
    const hidden = () => { if (document.visibilityState === "hidden") keep(); };
    document.addEventListener("visibilitychange", hidden);
    return () => { document.removeEventListener("visibilitychange", hidden); keep(); };
  }, [props.record, JSON.stringify(props.path)]);

  return (
    <div onFocusOut={keep}>
      <ValueInput look={props.look} field={field} value={mine ? mine.value : props.value} onValue={write} needed={props.needed ?? false} />
      <p class="field-state" role="status">{state}</p>
    </div>
  );
}
