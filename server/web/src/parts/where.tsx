import type { Mark, RecordID, Status, Whereabouts } from "@doorstep/client";
import type { ComponentChildren } from "preact";
import { useDesk, useStatus } from "../hooks";
import { whyWords } from "../words/refusals";
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

/** What became of changes that did not simply become part of their record: of a record that met one fate for one reason, in one box. */
export function Marks(props: { marks: Mark[]; of?: (m: Mark) => ComponentChildren }) {
  if (props.marks.length === 0) return null;
  const groups = new Map<string, Mark[]>();
  for (const m of props.marks) {
    const alike = [m.record, m.fate, m.code, m.reoffered, m.here].join();
    groups.set(alike, [...(groups.get(alike) ?? []), m]);
  }
  return (
    <ul class="marks">
      {[...groups].map(([alike, marks]) => <li key={alike}><Marked marks={marks} of={props.of?.(marks[0]!)} /></li>)}
    </ul>
  );
}

function Marked(props: { marks: Mark[]; of: ComponentChildren }) {
  const { client } = useDesk();
  const { marks } = props, m = marks[0]!;
  const again = (m.fate === "quarantined" || m.fate === "refused") && !m.reoffered && m.here;
  const save = async () => { for (const one of marks) await saveChange(one.change, client.exportChange(one.change)); };
  return (
    <div class={"mark mark--" + m.fate}>
      <h3 class="govuk-heading-s">{t(`fate.${m.fate}`)}{marks.length > 1 && ": " + t("marks.pieces", { n: marks.length })}</h3>
      {props.of}
      <p class="govuk-body">{whyWords(m)}</p>
      {again && <Act kind="secondary" onAct={() => client.reoffer(m.record)}>{t("fate.reoffer")}</Act>}
      {m.here && m.fate === "refused" && <Act kind="secondary" onAct={save}>{t("fate.export")}</Act>}
    </div>
  );
}

async function saveChange(id: string, exported: Promise<{ body: Uint8Array }>): Promise<void> {
  saveFile(`doorstep-${id.slice(0, 12)}.change`, (await exported).body);
}
