import type { FieldKind, Op, RecordID, View } from "@doorstep/client";
import { useState } from "preact/hooks";
import { isEmpty, valueWords, type Lookup } from "../look";
import { t } from "../words/words";
import { Collection } from "./collection";
import { ConflictBox, OverlapBox } from "./conflict";
import { isBeside, isNeeded } from "./needed";
import { Own, partsOf } from "./own";
import { PartsForm, type Parts } from "./parts";
import { Prose } from "./prose";
import { partsIn, useSketch } from "./sketch";
import { WhoWrote } from "./who";
import { Whole } from "./whole";

interface Props {
  look: Lookup;
  record: RecordID;
  view: View;
  field: FieldKind;
  /** The record is sealed: it is read, not written. */
  final: boolean;
}

/** One field of a record, drawn from what the schema says of it. */
export function Field(props: Props) {
  const { field, view } = props;
  const answers = (id: string) => view.fields[id]?.value ?? null;
  if (isEmpty(view.fields[field.id]) && isBeside(field, answers, false)) return null;
  const conflicts = view.conflicts.filter((c) => c.path.field === field.id);
  const overlaps = view.overlaps.filter((o) => o.path.field === field.id);
  return (
    <div class="field" id={"field-" + field.id}>
      {conflicts.map((c) => {
        const part = c.path.sub ? field.sub.find((s) => s.id === c.path.sub) : undefined;
        return <ConflictBox key={JSON.stringify(c.path)} look={props.look} record={props.record} field={part ?? field} conflict={c} />;
      })}
      {overlaps.map((o) => <OverlapBox key={JSON.stringify(o.path)} look={props.look} record={props.record} label={field.name} overlap={o} text={view.fields[field.id]?.text ?? ""} />)}
      <Body {...props} />
    </div>
  );
}

function Body(props: Props) {
  const { field, record, look, view } = props;
  const fv = view.fields[field.id];
  const needed = isNeeded(field, (id) => view.fields[id]?.value ?? null);
  if (field.rule === "derived") return <Read {...props} hint={t("record.counts")} />;
  if (field.rule === "union" || field.rule === "log") return <Collection look={look} record={record} field={field} view={fv} final={props.final} />;
  if (field.rule === "own") return <Own look={look} record={record} field={field} view={fv} final={props.final} />;
  if (props.final) return <Read {...props} />;
  if (field.type === "prose") {
    return (
      <>
        <Prose record={record} path={{ field: field.id }} label={field.name} help={field.help} needed={needed} />
        {fv?.set && <WhoWrote look={look} record={record} path={{ field: field.id }} label={field.name} />}
      </>
    );
  }
  if (field.type === "struct") return <Struct {...props} />;
  return <Whole look={look} record={record} path={{ field: field.id }} field={field} value={fv?.value ?? null} needed={needed} />;
}

/** A field as it is read: nothing where nobody wrote. */
function Read(props: Props & { hint?: string }) {
  const fv = props.view.fields[props.field.id];
  if (isEmpty(fv)) return null;
  return (
    <div class="read">
      <h3 class="govuk-heading-s">{props.field.name}</h3>
      <p class="text">{fv!.text || valueWords(props.look, props.field, fv!.value)}</p>
      {props.hint && <p class="govuk-hint">{props.hint}</p>}
      {props.field.type === "prose" && <WhoWrote look={props.look} record={props.record} path={{ field: props.field.id }} label={props.field.name} />}
    </div>
  );
}

/** Several answers that are set as one. */
function Struct(props: Props) {
  const { field, look, view } = props;
  const sketch = useSketch("set " + field.id);
  const [before] = useState(() => partsIn(sketch.said));
  const [open, setOpen] = useState(before !== undefined);
  const value = view.fields[field.id]?.value ?? null;
  const opsOf = (parts: Parts): Op[] => [{ op: "set", path: { field: field.id }, value: parts }];
  return (
    <section class="collection" aria-label={field.name}>
      <h3 class="govuk-heading-s">{field.name}{field.required && value === null && <span class="needed"> ({t("record.needed")})</span>}</h3>
      {value !== null && <p class="text">{valueWords(look, field, value)}</p>}
      {open
        ? <PartsForm look={look} sub={field.sub} start={sketch.said && before ? before.value as Parts : partsOf(value)} final={false} sketch={sketch} opsOf={opsOf} onDone={() => setOpen(false)} />
        : <button type="button" class="govuk-button govuk-button--secondary" onClick={() => setOpen(true)}>
            {value === null ? t("record.add") : t("record.edit")}<span class="govuk-visually-hidden">: {field.name}</span>
          </button>}
    </section>
  );
}
