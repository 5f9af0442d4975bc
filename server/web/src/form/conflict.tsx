import type { Conflict, FieldKind, Overlap, RecordID, Value } from "@doorstep/client";
import { useId, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { authorName, byLine, valueWords, type Lookup } from "../look";
import { Act, Box, Input } from "../parts/basic";
import { t } from "../words/words";

/** Two answers to one question, what counts meanwhile, and the way to decide. */
export function ConflictBox(props: { look: Lookup; record: RecordID; field: FieldKind; conflict: Conflict }) {
  const { client } = useDesk();
  const { conflict: c, field, look } = props;
  const name = useId();
  const [chosen, setChosen] = useState<number | undefined>();
  const [why, setWhy] = useState("");
  const words = (v: Value) => valueWords(look, field, v) || t("conflict.empty");
  const decide = () => client.apply(props.record, { op: "decide", path: c.path, value: c.sides[chosen!]!.value, reason: why.trim() });
  return (
    <Box kind="conflict" title={`${t("conflict.title")}: ${field.name}`}>
      <p class="govuk-body">{t("conflict.help")}</p>
      <fieldset class="govuk-fieldset">
        <legend class="govuk-visually-hidden">{field.name}</legend>
        <div class="govuk-radios">
          {c.sides.map((s, i) => (
            <div class="govuk-radios__item" key={s.by.change}>
              <input class="govuk-radios__input" type="radio" id={name + i} name={name} checked={chosen === i} onChange={() => setChosen(i)} />
              <label class="govuk-label govuk-radios__label" for={name + i}>
                {words(s.value)}<span class="govuk-hint side-by">{byLine(look, s.by)}</span>
              </label>
            </div>
          ))}
        </div>
      </fieldset>
      <p class="govuk-body in-force">{c.inForce === null ? t("conflict.nothing") : t("conflict.in_force", { value: words(c.inForce) })}</p>
      <Input label={t("conflict.why")} value={why} onValue={setWhy} wide />
      <Act onAct={decide} disabled={chosen === undefined || why.trim() === ""}>{t("conflict.go")}</Act>
    </Box>
  );
}

/** A sentence that two people changed apart: no word is lost, and somebody must read it. */
export function OverlapBox(props: { look: Lookup; record: RecordID; label: string; overlap: Overlap; text: string }) {
  const { client } = useDesk();
  const points = [...props.text];
  const decide = () => client.apply(props.record, { op: "decide", path: props.overlap.path, value: null, reason: "" });
  return (
    <Box kind="conflict" title={`${t("overlap.title")}: ${props.label}`}>
      <p class="govuk-body">{t("overlap.help")}</p>
      {props.overlap.spans.map((s) => (
        <blockquote key={s.start} class="overlap">
          {around(points, s.start, s.end)}
          <footer class="side-by">{t("overlap.by", { names: s.authors.map((a) => authorName(props.look, a)).join(", ") })}</footer>
        </blockquote>
      ))}
      <Act onAct={decide} kind="secondary">{t("overlap.go")}</Act>
    </Box>
  );
}

function around(points: string[], start: number, end: number) {
  const from = Math.max(0, start - 40), to = Math.min(points.length, end + 40);
  return <>{points.slice(from, start).join("")}<mark>{points.slice(start, end).join("")}</mark>{points.slice(end, to).join("")}</>;
}
