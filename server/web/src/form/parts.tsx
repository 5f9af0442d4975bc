import type { FieldKind, Value } from "@doorstep/client";
import { useState } from "preact/hooks";
import type { Lookup } from "../look";
import { Act } from "../parts/basic";
import { t } from "../words/words";
import { ValueInput } from "./input";
import { isBeside, isNeeded } from "./needed";

export type Parts = { [part: string]: Value };

/** The parts of one element or slot, to be kept together. */
export function PartsForm(props: { look: Lookup; sub: FieldKind[]; start?: Parts; final: boolean; onKeep: (parts: Parts) => Promise<unknown>; onCancel: () => void }) {
  const [parts, setParts] = useState<Parts>(props.start ?? {});
  const answers = (part: string) => parts[part] ?? null;
  const keep = () => {
    const said = Object.fromEntries(Object.entries(parts).filter(([, v]) => v !== null && v !== ""));
    return props.onKeep(said);
  };
  return (
    <div class="parts">
      {[...props.sub].sort((a, b) => a.order - b.order).filter((f) => (parts[f.id] ?? null) !== null || !isBeside(f, answers, true)).map((f) => (
        <ValueInput key={f.id} look={props.look} field={f} value={parts[f.id] ?? null} needed={isNeeded(f, answers)}
          onValue={(v) => setParts((old) => ({ ...old, [f.id]: v }))} />
      ))}
      {props.sub.some((f) => f.type === "hash") && <p class="govuk-hint">{t("record.no_drawing")}</p>}
      {props.final && <p class="govuk-hint">{t("record.keep.log")}</p>}
      <div class="govuk-button-group">
        <Act onAct={keep}>{t("record.keep")}</Act>
        <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onCancel}>{t("record.cancel")}</button>
      </div>
    </div>
  );
}
