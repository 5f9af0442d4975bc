import type { FieldKind, Op, Value } from "@doorstep/client";
import { useRef, useState } from "preact/hooks";
import type { Lookup } from "../look";
import { Act } from "../parts/basic";
import { t } from "../words/words";
import { ValueInput } from "./input";
import { isBeside, isNeeded } from "./needed";
import type { SketchOf } from "./sketch";

export type Parts = { [part: string]: Value };

/**
 * The parts of one element or slot, to be kept together. Until they are, what they say
 * is a sketch of the change that opsOf makes of them.
 */
export function PartsForm(props: { look: Lookup; sub: FieldKind[]; start?: Parts; final: boolean; sketch: SketchOf; opsOf: (parts: Parts) => Op[]; onDone: () => void }) {
  const { sketch } = props;
  const [parts, setParts] = useState<Parts>(props.start ?? {});
  const now = useRef(parts);
  const answers = (part: string) => parts[part] ?? null;
  const write = (part: string, value: Value) => {
    now.current = { ...now.current, [part]: value };
    setParts(now.current);
    sketch.write(props.opsOf(saidIn(now.current)));
  };
  const keep = async () => {
    await sketch.keep(props.opsOf(saidIn(now.current)));
    props.onDone();
  };
  const cancel = async () => {
    await sketch.drop();
    props.onDone();
  };
  return (
    <div class="parts">
      {[...props.sub].sort((a, b) => a.order - b.order).filter((f) => (parts[f.id] ?? null) !== null || !isBeside(f, answers, true)).map((f) => (
        <ValueInput key={f.id} look={props.look} field={f} value={parts[f.id] ?? null} needed={isNeeded(f, answers)}
          onValue={(v) => write(f.id, v)} />
      ))}
      {props.sub.some((f) => f.type === "hash" && f.id !== "version_hash") && <p class="govuk-hint">{t("record.no_drawing")}</p>}
      {props.final && <p class="govuk-hint">{t("record.keep.log")}</p>}
      <p class="field-state" role="status">{sketch.state}</p>
      <div class="govuk-button-group">
        <Act onAct={keep}>{t("record.keep")}</Act>
        <Act kind="secondary" onAct={cancel}>{t("record.cancel")}</Act>
      </div>
    </div>
  );
}

/** What was answered of some parts. */
function saidIn(parts: Parts): Parts {
  return Object.fromEntries(Object.entries(parts).filter(([, v]) => v !== null && v !== ""));
}
