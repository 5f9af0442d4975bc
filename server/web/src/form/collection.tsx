import { idOf, newID, refTo, type Element, type FieldKind, type FieldView, type Op, type RecordID } from "@doorstep/client";
import { useState } from "preact/hooks";
import { childrenOf } from "../begin";
import { byLine, partOf, personName, valueWords, type Lookup } from "../look";
import { Act, Input } from "../parts/basic";
import { t } from "../words/words";
import { PartsForm, type Parts } from "./parts";
import { Prose } from "./prose";
import { partsIn, useSketch, useSketchedText } from "./sketch";
import { EarlierVersion, isVersioned, Versioned } from "./versioned";
import { WhoWrote } from "./who";
import { Whole } from "./whole";

interface Props {
  look: Lookup;
  record: RecordID;
  field: FieldKind;
  view: FieldView | undefined;
  final: boolean;
}

/** A list that grows: entries of a log are never changed, those of a union may be. */
export function Collection(props: Props) {
  const { field } = props;
  const sketch = useSketch("add " + field.id);
  const [adding, setAdding] = useState(() => partsIn(sketch.said));
  const begin = (value: Parts) => setAdding({ element: newID(), value });
  const items = props.view?.items ?? [];
  const opsOf = (parts: Parts): Op[] => [{ op: "add", path: { field: field.id, element: adding!.element }, value: parts }];
  return (
    <section class={"collection" + (field.label === "verbatim" ? " collection--verbatim" : "")} aria-label={field.name}>
      <h3 class="govuk-heading-s">{field.name}{field.required && items.length === 0 && <span class="needed"> ({t("record.needed")})</span>}</h3>
      {field.help && <p class="govuk-hint">{field.help}</p>}
      {items.length > 0 && (
        <ul class="entries">
          {items.map((e) => <li key={e.element}><Entry {...props} element={e} /></li>)}
        </ul>
      )}
      {adding && <PartsForm look={props.look} sub={field.sub} start={adding.value as Parts} final={field.rule === "log"} sketch={sketch} opsOf={opsOf}
        onDone={() => setAdding(undefined)} />}
      {!adding && !props.final && (isVersioned(field)
        ? <Versioned look={props.look} record={props.record} field={field.id} onAdd={begin} />
        : <div class="adding">
            <People {...props} onAdd={begin} onKeep={(value) => sketch.keep([{ op: "add", path: { field: field.id, element: newID() }, value }])} />
            <AddButton field={field} more={items.length > 0} onAdd={() => begin({})} />
          </div>)}
    </section>
  );
}

/** One tap for each person on file who is not in the list yet, in a list of people. Where nothing else must be said, that tap is the entry. */
function People(props: Props & { onAdd: (value: Parts) => void; onKeep: (value: Parts) => Promise<void> }) {
  const { look, field } = props;
  const lead = [...field.sub].sort((a, b) => a.order - b.order)[0];
  if (lead?.type !== "ref" || lead.refKind !== "person") return null;
  const there = new Set(props.view?.items.filter((e) => e.inForce).map((e) => idOf(partOf(e, lead.id))));
  const enough = field.rule === "union" && field.sub.every((s) => s === lead || !s.required);
  const add = (person: string) => (enough ? props.onKeep : props.onAdd)({ [lead.id]: refTo(person) });
  const anybody = lead.id === "child" ? childrenOf(look) : [...look.views.values()].filter((v) => v.kind === "person");
  const people = anybody.filter((v) => !there.has(v.record));
  return (
    <>
      {people.map((p) => (
        <Act key={p.record} kind="secondary" onAct={() => add(p.record)}>
          <span aria-hidden="true">+ {personName(p)}</span><span class="govuk-visually-hidden">{t("record.somebody", { name: personName(p) })}: {field.name}</span>
        </Act>
      ))}
    </>
  );
}

function AddButton(props: { field: FieldKind; more: boolean; onAdd: () => void }) {
  return (
    <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onAdd}>
      {props.more ? t("record.add_more") : t("record.add")}<span class="govuk-visually-hidden">: {props.field.name}</span>
    </button>
  );
}

function Entry(props: Props & { element: Element }) {
  const { field, element: e, look } = props;
  const [open, setOpen] = useState<"" | "edit" | "remove">("");
  const stands = e.removed !== undefined && e.inForce;
  return (
    <div class={"entry" + (e.inForce ? "" : " entry--out")}>
      <EntryWords look={look} field={field} element={e} />
      {isVersioned(field) && <EarlierVersion look={look} record={props.record} element={e} />}
      {e.removed && <p class="govuk-body-s">{t("record.removed", { reason: e.removed.reason })}{stands && " " + t("record.removed.stands")}</p>}
      {e.flagged && <p class="govuk-body-s">{t("record.flagged")}</p>}
      <div class="entry__foot">
        <p class="entry__by">{byLine(look, e.by)}</p>
        {field.rule === "union" && e.inForce && !props.final && open === "" && (
          <div class="entry__acts">
            <button type="button" class="plain-button" onClick={() => setOpen("edit")}>{t("record.edit")}</button>
            {!e.removed && <button type="button" class="plain-button" onClick={() => setOpen("remove")}>{t("record.remove")}</button>}
          </div>
        )}
      </div>
      {open === "edit" && <EditParts {...props} onDone={() => setOpen("")} />}
      {open === "remove" && <Remove {...props} onDone={() => setOpen("")} />}
    </div>
  );
}

/** What an entry says, in the order of its parts: the first leads, the others follow in a line. Words as spoken stand apart. */
export function EntryWords(props: { look: Lookup; field: FieldKind; element: Element }) {
  const { look, field, element } = props;
  const said = field.sub.map((s) => ({ s, words: valueWords(look, s, partOf(element, s.id)) })).filter((p) => p.words !== "");
  const spoken = (id: string) => field.label === "verbatim" && (id === "quote" || id === "words");
  const note = field.label === "verbatim" ? said.find(({ s }) => s.long || s.type === "prose") : undefined; // how it was taken down comes after it
  const lead = said.find(({ s }) => spoken(s.id)) ?? note ?? said[0], rest = said.filter((p) => p !== lead);
  return (
    <>
      {lead && (spoken(lead.s.id)
        ? <blockquote class="verbatim">{lead.words}</blockquote>
        : <p class="entry__part"><span class="govuk-visually-hidden">{lead.s.name}: </span>{lead.words}</p>)}
      {rest.length > 0 && <dl class="entry__rest">{rest.map(({ s, words }) => <div key={s.id}><dt>{s.name}</dt> <dd>{words}</dd></div>)}</dl>}
    </>
  );
}

function EditParts(props: Props & { element: Element; onDone: () => void }) {
  const { field, element: e, record, look } = props;
  return (
    <div class="parts">
      {field.sub.map((s) => {
        const path = { field: field.id, element: e.element, sub: s.id };
        return s.type === "prose"
          ? <div key={s.id}><Prose record={record} path={path} label={s.name} help={s.help} /><WhoWrote look={look} record={record} path={path} label={s.name} /></div>
          : <Whole key={s.id} look={look} record={record} path={path} field={s} value={partOf(e, s.id)} needed={s.required} />;
      })}
      <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onDone}>{t("record.keep")}</button>
    </div>
  );
}

function Remove(props: Props & { element: Element; onDone: () => void }) {
  const { field, element } = props;
  const why = useSketchedText("remove " + element.element, (reason) => ({ op: "remove", path: { field: field.id, element: element.element }, reason }));
  const remove = async () => {
    await why.give();
    props.onDone();
  };
  return (
    <div class="parts">
      <Input label={t("record.remove.why")} help={field.keepRemoved ? t("record.remove.stands") : ""} value={why.text} onValue={why.write} wide />
      <div class="govuk-button-group">
        <Act onAct={remove} kind="warning" disabled={why.text.trim() === ""}>{t("record.remove")}</Act>
        <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onDone}>{t("record.cancel")}</button>
      </div>
    </div>
  );
}
