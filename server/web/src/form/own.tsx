import { newID, type FieldKind, type FieldView, type Op, type RecordID, type Slot, type Value } from "@doorstep/client";
import { useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { authorName, byLine, valueWords, type Lookup } from "../look";
import { t } from "../words/words";
import { PartsForm, type Parts } from "./parts";
import { Prose } from "./prose";
import { partsIn, useSketch } from "./sketch";
import { WhoWrote } from "./who";

interface Props {
  look: Lookup;
  record: RecordID;
  field: FieldKind;
  view: FieldView | undefined;
  final: boolean;
}

/** A field in which each person has a part of their own, side by side. */
export function Own(props: Props) {
  const { user } = useDesk();
  const { field, look } = props;
  const slots = props.view?.slots ?? [];
  const others = field.slotOf === "author" ? slots.filter((s) => s.slot !== user) : slots;
  const path = { field: field.id, element: user };
  return (
    <section class="own" aria-label={field.name}>
      {others.map((s) => <Said key={s.slot} {...props} slot={s} />)}
      {field.type === "prose" && !props.final && <Prose record={props.record} path={path} label={field.name} help={field.help || t("record.field_note")} />}
      {field.type === "prose" && slots.some((s) => s.slot === user) && <WhoWrote look={look} record={props.record} path={path} label={field.name} />}
      {field.type === "prose" && props.final && slots.filter((s) => s.slot === user).map((s) => <p key={s.slot} class="text">{s.text}</p>)}
      {field.type !== "prose" && <Slots {...props} slots={slots} look={look} />}
    </section>
  );
}

/** What somebody else wrote in their part. */
function Said(props: Props & { slot: Slot }) {
  const { slot, field, look } = props;
  if (field.type !== "prose") return null;
  return (
    <div class="said">
      <h3 class="govuk-heading-s">{field.name}: {t("record.others", { name: authorName(look, slot.by.author) })}</h3>
      <p class="text">{slot.text}</p>
      <WhoWrote look={look} record={props.record} path={{ field: field.id, element: slot.slot }} label={field.name} />
    </div>
  );
}

function Slots(props: Props & { slots: Slot[] }) {
  const { user } = useDesk();
  const { field, look, slots } = props;
  const sketch = useSketch("slot of " + field.id);
  const [before] = useState(() => partsIn(sketch.said));
  const [open, setOpen] = useState(before?.element);
  const opsOf = (parts: Parts): Op[] => [{ op: "set", path: { field: field.id, element: open! }, value: parts }];
  const may = (s: Slot) => !props.final && (field.slotOf !== "author" || s.slot === user);
  const begun = slots.find((s) => s.slot === open);
  const mineThere = field.slotOf === "author" && slots.some((s) => s.slot === user);
  return (
    <div class="collection">
      <h3 class="govuk-heading-s">{field.name}</h3>
      {field.help && <p class="govuk-hint">{field.help}</p>}
      <ul class="entries">
        {slots.map((s) => (
          <li key={s.slot}>
            <div class="entry">
              {field.sub.map((p) => <SlotPart key={p.id} look={look} field={p} value={partsOf(s.value)[p.id] ?? null} />)}
              <p class="entry__by">{byLine(look, s.by)}</p>
              {may(s) && open === undefined && <button type="button" class="plain-button" onClick={() => setOpen(s.slot)}>{t("record.edit")}</button>}
            </div>
          </li>
        ))}
      </ul>
      {open !== undefined && <PartsForm look={look} sub={field.sub} start={sketch.said && before ? before.value as Parts : partsOf(begun?.value ?? null)} final={false}
        sketch={sketch} opsOf={opsOf} onDone={() => setOpen(undefined)} />}
      {open === undefined && !props.final && !mineThere && (
        <button type="button" class="govuk-button govuk-button--secondary" onClick={() => setOpen(field.slotOf === "author" ? user : newID())}>
          {slots.length > 0 ? t("record.add_more") : t("record.add")}<span class="govuk-visually-hidden">: {field.name}</span>
        </button>
      )}
    </div>
  );
}

function SlotPart(props: { look: Lookup; field: FieldKind; value: Value }) {
  const words = valueWords(props.look, props.field, props.value);
  return words === "" ? null : <p class="entry__part"><span class="entry__name">{props.field.name}</span> {words}</p>;
}

export function partsOf(v: Value): Parts {
  return typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array) ? v : {};
}
