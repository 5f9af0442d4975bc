import type { RecordID, View } from "@doorstep/client";
import { useState } from "preact/hooks";
import { childrenOf } from "../begin";
import { useDesk, useFile, useRecord } from "../hooks";
import { itemsOf, partText, personName, textOf, type Lookup } from "../look";
import { Act, Loading } from "../parts/basic";
import { link } from "../route";
import { dayOf, dayWords, t } from "../words/words";

/** The plan in plain language: to show, to print, to share. */
export function PlanCopy(props: { record: RecordID }) {
  const [view, failed] = useRecord(props.record);
  if (failed !== undefined && !view) return <p class="govuk-body">{t("record.none")}</p>;
  return view ? <Copy plan={view} /> : <Loading />;
}

function Copy(props: { plan: View }) {
  const { userName } = useDesk();
  const { plan } = props;
  const look = useFile(plan.family);
  const [network, setNetwork] = useState(false);
  if (!look) return <Loading />;
  const names = childrenOf(look).map(personName).join(", ");
  const inForce = ["ACTIVE", "UNDER_REVIEW"].includes(textOf(plan, "status"));
  const text = () => plainText(look, plan, network);
  return (
    <article class="show plan-copy">
      <div class="no-print plan-copy__tools">
        <a class="govuk-back-link" href={link("record", plan.record)}>{t("show.back")}</a>
        <fieldset class="govuk-fieldset">
          <legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{t("plan.which")}</legend>
          <div class="govuk-radios govuk-radios--inline">
            {[false, true].map((only) => (
              <div class="govuk-radios__item" key={String(only)}>
                <input class="govuk-radios__input" type="radio" name="which" id={"which-" + only} checked={network === only} onChange={() => setNetwork(only)} />
                <label class="govuk-label govuk-radios__label" for={"which-" + only}>{only ? t("plan.network") : t("plan.full")}</label>
              </div>
            ))}
          </div>
        </fieldset>
        <div class="govuk-button-group">
          <Act onAct={() => window.print()}>{t("plan.print")}</Act>
          {"share" in navigator && <Act kind="secondary" onAct={() => navigator.share({ title: t("plan.copy"), text: text() }).catch(() => undefined)}>{t("plan.share")}</Act>}
        </div>
        <p class="govuk-body"><a href={link("record", plan.record, "shares")}>{t("agreed.copy")}</a></p>
      </div>
      <h1 class="govuk-heading-xl">{t("plan.copy")}</h1>
      <p class="govuk-body-l">{t("plan.for", { names })}</p>
      {!inForce && <p class="govuk-body"><strong>{t("plan.not_in_force")}</strong></p>}
      <h2 class="govuk-heading-l">{t("plan.rules")}</h2>
      <ol class="plan-copy__rules">
        {itemsOf(plan, "rules").map((e) => (
          <li key={e.element}>
            <p class="govuk-body-l">{partText(e, "text")}</p>
            {partText(e, "who") && <p class="govuk-body">{t("plan.rule.who", { who: partText(e, "who") })}</p>}
            {partText(e, "when") && <p class="govuk-body">{t("plan.rule.when", { when: partText(e, "when") })}</p>}
          </li>
        ))}
      </ol>
      <h2 class="govuk-heading-l">{t("plan.people")}</h2>
      <ul class="plan-copy__people">
        {itemsOf(plan, "network").filter((e) => partText(e, "poses_risk") !== "Y").map((e) => (
          <li key={e.element}><strong>{partText(e, "name")}</strong> {partText(e, "contact")}{!network && partText(e, "role") && `: ${partText(e, "role")}`}</li>
        ))}
      </ul>
      <h2 class="govuk-heading-l">{t("plan.signs")}</h2>
      <ul class="govuk-list govuk-list--bullet plan-copy__signs">{itemsOf(plan, "triggers").map((e) => <li key={e.element}>{partText(e, "text")}</li>)}</ul>
      {!network && textOf(plan, "contingency") && <><h2 class="govuk-heading-l">{t("plan.else")}</h2><p class="govuk-body-l text">{textOf(plan, "contingency")}</p></>}
      {!network && textOf(plan, "bottom_lines") && <><h2 class="govuk-heading-l">{t("plan.bottom")}</h2><p class="govuk-body-l text">{textOf(plan, "bottom_lines")}</p></>}
      {textOf(plan, "review_date") && <p class="govuk-body-l">{t("plan.until", { day: dayWords(textOf(plan, "review_date")) })}</p>}
      <p class="govuk-body-s">{t("plan.version", { day: dayWords(dayOf(Date.now())), name: userName })} {t("plan.language")}</p>
    </article>
  );
}

/** The copy as words alone, for the way that the family chose. */
function plainText(look: Lookup, plan: View, network: boolean): string {
  const lines = [t("plan.copy"), t("plan.for", { names: childrenOf(look).map(personName).join(", ") }), "", t("plan.rules")];
  for (const e of itemsOf(plan, "rules")) lines.push(`- ${partText(e, "text")} (${[partText(e, "who"), partText(e, "when")].filter(Boolean).join(", ")})`);
  lines.push("", t("plan.people"));
  for (const e of itemsOf(plan, "network")) if (partText(e, "poses_risk") !== "Y") lines.push(`- ${partText(e, "name")} ${partText(e, "contact")}`);
  lines.push("", t("plan.signs"));
  for (const e of itemsOf(plan, "triggers")) lines.push(`- ${partText(e, "text")}`);
  if (!network && textOf(plan, "contingency")) lines.push("", t("plan.else"), textOf(plan, "contingency"));
  return lines.join("\n");
}
