import type { FieldKind, RecordID, View } from "@doorstep/client";
import { EntryWords } from "../form/collection";
import { partsOf } from "../form/own";
import { useDesk, useFile, useRecord } from "../hooks";
import { capital, isEmpty, kindOf, recordTitle, valueWords, type Lookup } from "../look";
import { Loading } from "../parts/basic";
import { link } from "../route";
import { t } from "../words/words";

/** What the family may look at over the worker's shoulder: large, plain, and nothing of anybody else's. */
export function Show(props: { record: RecordID }) {
  const [view, failed] = useRecord(props.record);
  if (failed !== undefined && !view) return <p class="govuk-body">{t("record.none")}</p>;
  return view ? <Shown view={view} /> : <Loading />;
}

function Shown(props: { view: View }) {
  const { view } = props;
  const file = useFile(view.family);
  const { user, userName } = useDesk();
  if (!file) return <Loading />;
  const look = { ...file, user: "", names: new Map([...file.names, [user, userName]]) }; // "you" is whoever reads it
  const fields = (kindOf(look, view.kind)?.fields ?? []).filter((f) => shown(f, view));
  return (
    <div class="show">
      <h1 class="govuk-heading-xl">{capital(recordTitle(look, view))}</h1>
      {fields.map((f) => <ShownField key={f.id} look={look} view={view} field={f} />)}
      <p class="show__back"><a href={link("record", view.record)}>{t("show.back")}</a></p>
    </div>
  );
}

/** Fields that are for the file and not for the room. */
const notShown = new Set(["manager_alert", "worker_raw_note", "plan_lines", "counts_as_statutory", "duration_min", "outcome_action", "hide_from", "safe_contact",
  "sent_at", "visit", "planned", "visit_type", "contact_mode", "announced", "outcome", "poses_risk", "shares", "signatures"]);

function shown(f: FieldKind, view: View): boolean {
  return f.label !== "admin" && !notShown.has(f.id) && !isEmpty(view.fields[f.id]);
}

function ShownField(props: { look: Lookup; view: View; field: FieldKind }) {
  const { look, view, field } = props;
  const fv = view.fields[field.id]!;
  const whole = fv.text || valueWords(look, field, fv.value);
  return (
    <section class={field.label === "verbatim" ? "show__verbatim" : ""}>
      <h2 class="govuk-heading-m">{field.name}</h2>
      {whole && <p class="text">{whole}</p>}
      {fv.items.filter((e) => e.inForce).map((e) => <div key={e.element} class="entry"><EntryWords look={look} field={{ ...field, sub: field.sub.filter((s) => !notShown.has(s.id)) }} element={e} /></div>)}
      {fv.slots.map((s) => (
        <div key={s.slot} class="entry">
          {s.text ? <p class="text">{s.text}</p> : field.sub.map((p) => {
            const words = valueWords(look, p, partsOf(s.value)[p.id] ?? null);
            return words === "" ? null : <p key={p.id} class="entry__part"><span class="entry__name">{p.name}</span> {words}</p>;
          })}
        </div>
      ))}
    </section>
  );
}
