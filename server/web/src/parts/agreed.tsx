import type { View } from "@doorstep/client";
import { answersOf, disputed, owed, type Answered, type Versioned } from "../agreed";
import { useContent } from "../hooks";
import { codeLabel, fieldOf, kindOf, numberIn, partOf, partText, type Lookup } from "../look";
import { link } from "../route";
import { dayOf, dayWords, t } from "../words/words";

/** Who agreed to a plan as it stands, who has a copy of it, and what is still to do. */
export function Agreed(props: { look: Lookup; plan: View }) {
  const { look, plan } = props;
  const content = useContent(plan);
  if (!content) return null;
  const answers = answersOf(look, plan, "signatures", content), copies = answersOf(look, plan, "shares", content);
  const names = [...new Set([...answers, ...copies].filter((a) => a.entry || a.who.owed).map((a) => a.who.name))];
  return (
    <>
      <h3 class="govuk-heading-s">{t("agreed.title")}</h3>
      <ul class="govuk-list agreed">
        {names.map((name) => {
          const answer = answers.find((a) => a.who.name === name), copy = copies.find((a) => a.who.name === name);
          return (
            <li key={name}><strong>{name}</strong>{" "}
              {answer && <One look={look} field="signatures" answer={answer} still={owed(answers).includes(answer)} />}{" "}
              {copy && <One look={look} field="shares" answer={copy} still={owed(copies).includes(copy)} />}
            </li>
          );
        })}
      </ul>
      {disputed(plan) && <p class="govuk-body overdue">{t("agreed.disputed")}</p>}
      <p class="govuk-body"><a href={link("record", plan.record, "signatures")}>{t("agreed.record")}</a> · <a href={link("record", plan.record, "shares")}>{t("agreed.copy")}</a></p>
    </>
  );
}

function One(props: { look: Lookup; field: Versioned; answer: Answered; still: boolean }) {
  const { answer: a, field } = props;
  const words = !a.entry ? t(field === "signatures" ? "agreed.nothing" : "copy.nothing")
    : a.earlier ? t(field === "signatures" ? "agreed.earlier" : "copy.earlier") : field === "signatures" ? signedWords(props.look, a) : copyWords(a);
  if (!a.entry && !props.still) return null;
  return <span class={props.still ? "todo" : undefined}>{words}</span>;
}

function signedWords(look: Lookup, a: Answered): string {
  const mode = fieldOf(kindOf(look, "plan"), "signatures")?.sub.find((s) => s.id === "mode");
  const at = numberIn(a.entry!, "at"), witness = partText(a.entry!, "witness");
  const words = codeLabel(mode, partOf(a.entry!, "mode")) + (at === undefined ? "" : ", " + dayWords(dayOf(at)));
  return words + (witness ? ` (${witness}).` : ".");
}

function copyWords(a: Answered): string {
  if (partText(a.entry!, "withheld_reason") !== "") return t("copy.withheld");
  return t("copy.given", { day: dayWords(partText(a.entry!, "date")) });
}

/** How much of a family's plan is still to be written down, for the day's list. */
export function StillToDo(props: { look: Lookup; plan: View }) {
  const content = useContent(props.plan);
  if (!content) return null;
  const answers = owed(answersOf(props.look, props.plan, "signatures", content)).length;
  const copies = owed(answersOf(props.look, props.plan, "shares", content)).length;
  if (answers + copies === 0) return null;
  return <p class="govuk-body card__line"><a href={link("record", props.plan.record, answers > 0 ? "signatures" : "shares")}>{t("agreed.todo", { answers, copies })}</a></p>;
}
