import type { FieldKind, Op, Path, RecordID, Value } from "@doorstep/client";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Lookup } from "../look";
import { plain } from "../parts/basic";
import { t, timeWords } from "../words/words";
import { ValueInput } from "./input";
import { useSketch } from "./sketch";

/** How long somebody pauses before a line that is set whole becomes a change. */
const pauseMS = 500;

/** Within this the record is read again, and shows what was kept, or who wrote otherwise. */
const settleMS = 1_000;

/** One field or part that is set whole. Choices are kept at once, typing at a pause. */
export function Whole(props: { look: Lookup; record: RecordID; path: Path; field: FieldKind; value: Value; needed?: boolean }) {
  const { field } = props;
  const sketch = useSketch("line " + JSON.stringify(props.path));
  const op = (value: Value): Op => ({ op: "set", path: props.path, value });
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
    sketch.keep([op(now.value)]).then(
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
    if (field.type !== "line") return keep();
    setState("");
    sketch.write([op(value)]); // typed without a pause it would be in the page alone
    waiting.current = window.setTimeout(keep, pauseMS);
  };
  useEffect(() => {
    const said = sketch.said?.[0];
    if (said && "value" in said) write(said.value); // the page was ended before the pause
  }, []);
  useEffect(() => {
    const hidden = () => { if (document.visibilityState === "hidden") keep(); };
    document.addEventListener("visibilitychange", hidden);
    return () => { document.removeEventListener("visibilitychange", hidden); keep(); };
  }, [props.record, JSON.stringify(props.path)]);

  return (
    <div onFocusOut={keep}>
      <ValueInput look={props.look} field={field} value={mine ? mine.value : props.value} onValue={write} needed={props.needed ?? false} />
      <p class="field-state" role="status">{sketch.state || state}</p>
    </div>
  );
}
