import { idOf, refTo, type FieldKind, type Value } from "@doorstep/client";
import { useId } from "preact/hooks";
import { tabletKey } from "../facts";
import { useDesk } from "../hooks";
import { authorName, elementsNamed, missing, personName, recordTitle, recordTime, type Lookup } from "../look";
import { dayOf, dayWords, t } from "../words/words";
import { quiet } from "./quiet";
import { DayInput, TimeInput } from "./when";

interface Props {
  look: Lookup;
  field: FieldKind;
  value: Value;
  onValue: (v: Value) => void;
  /** Names the label's element, where the label is drawn by somebody else. */
  labelled?: string;
  needed?: boolean;
}

/** One answer that is set whole, as its type asks for. */
export function ValueInput(props: Props) {
  const id = useId();
  const f = props.field;
  if (f.type === "hash") return null;
  if (f.type === "code" && f.codes.length <= 7) return <Radios {...props} id={id} />;
  const legend = <>{f.name}{unfilled(props) && <Needed />}</>;
  if (f.type === "date") return <DayInput legend={legend} help={f.help} value={props.value} onValue={props.onValue} />;
  if (f.type === "time") return <TimeInput legend={legend} help={f.help} value={props.value} onValue={props.onValue} />;
  return (
    <div class="govuk-form-group">
      <label class="govuk-label govuk-label--s" for={id}>{f.name}{unfilled(props) && <Needed />}</label>
      {f.help && <div class="govuk-hint" id={id + "-help"}>{f.help}</div>}
      <Control {...props} id={id} />
    </div>
  );
}

/** Whether an answer is needed and is not there: once it is, nothing more is said of it. */
function unfilled(props: Props): boolean {
  return props.needed === true && (props.value === null || props.value === "");
}

export function Needed() {
  return <span class="needed"> ({t("record.needed")})</span>;
}

function Control(props: Props & { id: string }) {
  const { field: f, value, onValue, id } = props;
  const described = f.help ? id + "-help" : undefined;
  switch (f.type) {
    case "code":
      return <Choices id={id} described={described} value={typeof value === "string" ? value : ""} onValue={(v) => onValue(v || null)}
        choices={f.codes.map((c) => ({ value: c.code, words: c.label }))} />;
    case "ref":
      return <Ref {...props} described={described} />;
    case "int":
      return <input id={id} class="govuk-input govuk-input--width-5" inputMode="numeric" aria-describedby={described}
        value={typeof value === "number" ? String(value) : ""} onChange={(e) => onValue(wholeNumber(e.currentTarget.value))} />;
    case "bool":
      return <Choices id={id} described={described} value={value === null ? "" : String(value)} onValue={(v) => onValue(v === "" ? null : v === "true")}
        choices={[{ value: "true", words: t("yes") }, { value: "false", words: t("no") }]} />;
    default:
      return <Line {...props} described={described} />;
  }
}

/** A line, or several, that is set whole. */
function Line(props: Props & { id: string; described: string | undefined }) {
  const { field: f, value, onValue, id } = props;
  const words = typeof value === "string" ? value : "";
  if (f.long || f.type === "prose") {
    return <textarea id={id} class="govuk-textarea" rows={4} aria-describedby={props.described} {...quiet} value={words}
      onInput={(e) => onValue(e.currentTarget.value || null)} />;
  }
  return <input id={id} class="govuk-input" aria-describedby={props.described} autocomplete="off" value={words}
    onInput={(e) => onValue(e.currentTarget.value || null)} />;
}

function Radios(props: Props & { id: string }) {
  const { field: f, value, onValue, id } = props;
  return (
    <div class="govuk-form-group">
      <fieldset class="govuk-fieldset" aria-describedby={f.help ? id + "-help" : undefined}>
        <legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{f.name}{unfilled(props) && <Needed />}</legend>
        {f.help && <div class="govuk-hint" id={id + "-help"}>{f.help}</div>}
        <div class="govuk-radios pills">
          {f.codes.map((c) => (
            <div class="govuk-radios__item" key={c.code}>
              <input class="govuk-radios__input" type="radio" id={id + c.code} name={id} checked={value === c.code}
                onChange={() => onValue(c.code)} />
              <label class="govuk-label govuk-radios__label" for={id + c.code}>{c.label}</label>
            </div>
          ))}
        </div>
      </fieldset>
    </div>
  );
}

export function Choices(props: { id: string; described?: string | undefined; value: string; onValue: (v: string) => void; choices: { value: string; words: string }[] }) {
  return (
    <select id={props.id} class="govuk-select" aria-describedby={props.described} value={props.value} onChange={(e) => props.onValue(e.currentTarget.value)}>
      <option value="">{t("record.choose")}</option>
      {props.choices.map((c) => <option key={c.value} value={c.value}>{c.words}</option>)}
    </select>
  );
}

function Ref(props: Props & { id: string; described: string | undefined }) {
  const desk = useDesk();
  const { look, field: f, value, onValue } = props;
  const chosen = idOf(value) ?? "";
  const choices = choicesOf(look, f.refKind, desk.user);
  if (chosen && !choices.some((c) => c.value === chosen)) choices.push({ value: chosen, words: missing(look) });
  return <Choices id={props.id} described={props.described} value={chosen} choices={choices} onValue={(v) => onValue(v ? refTo(v) : null)} />;
}

/** What a reference may point to, of what is on this tablet. */
export function choicesOf(look: Lookup, refKind: string, user: string): { value: string; words: string }[] {
  if (refKind === "user") {
    const ids = new Set([user, ...[...look.names.keys()].filter((id) => !id.startsWith(tabletKey("")))]);
    return [...ids].map((id) => ({ value: id, words: authorName(look, id) }));
  }
  const records = [...look.views.values()].filter((v) => v.kind === refKind);
  if (look.kinds.some((k) => k.id === refKind)) {
    records.sort((a, b) => recordTime(b) - recordTime(a));
    return records.map((v) => ({ value: v.record, words: refKind === "person" ? personName(v) : `${recordTitle(look, v)}, ${dayWords(dayOf(recordTime(v)))}` }));
  }
  return elementsNamed(look, refKind).map((e) => ({ value: e.id, words: e.words }));
}

function wholeNumber(s: string): number | null {
  return /^-?\d{1,12}$/.test(s.trim()) ? Number(s) : null;
}
