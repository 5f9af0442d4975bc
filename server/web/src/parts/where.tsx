import type { Mark, RecordID, Status, Whereabouts } from "@doorstep/client";
import { useDesk, useStatus } from "../hooks";
import { t } from "../words/words";
import { Act } from "./basic";
import { saveFile } from "./save";

const colour: { [state in Whereabouts]: string } = { none: "grey", only_here: "orange", received: "blue", seen: "green" };

/** How far this person's words in a record have got: three honest states. */
export function Where(props: { status: Status | undefined }) {
  if (!props.status) return null;
  const { state, draft } = props.status;
  if (state === "none" && !draft) return null;
  return (
    <span class="where">
      <strong class={`moj-badge moj-badge--${colour[state]}`}>{t(`where.${state}`)}</strong>
      {draft && <span class="where__draft"> {t("where.draft")}</span>}
    </span>
  );
}

export function WhereOf(props: { record: RecordID }) {
  return <Where status={useStatus(props.record)} />;
}

/** What became of changes that did not simply become part of their record. */
export function Marks(props: { marks: Mark[] }) {
  if (props.marks.length === 0) return null;
  return (
    <ul class="marks">
      {props.marks.map((m) => <li key={m.change}><OneMark mark={m} /></li>)}
    </ul>
  );
}

function OneMark(props: { mark: Mark }) {
  const { client } = useDesk();
  const m = props.mark;
  const again = (m.fate === "quarantined" || m.fate === "refused") && !m.reoffered && m.here;
  return (
    <div class={"mark mark--" + m.fate}>
      <h3 class="govuk-heading-s">{t(`fate.${m.fate}`)}</h3>
      <p class="govuk-body">{m.plain}</p>
      {again && <Act kind="secondary" onAct={() => client.reoffer(m.record)}>{t("fate.reoffer")}</Act>}
      {m.here && m.fate === "refused" && <Act kind="secondary" onAct={() => saveChange(m.change, client.exportChange(m.change))}>{t("fate.export")}</Act>}
    </div>
  );
}

async function saveChange(id: string, exported: Promise<{ body: Uint8Array }>): Promise<void> {
  saveFile(`doorstep-${id.slice(0, 12)}.change`, (await exported).body);
}
