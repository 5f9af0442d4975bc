import type { Element, FieldKind, RecordID } from "@doorstep/client";
import { answersOf, disputed, isFor, owed, versioned, type Answered, type Versioned as List } from "../agreed";
import { useContent, useDesk } from "../hooks";
import type { Lookup } from "../look";
import { Act } from "../parts/basic";
import { dayOf, t } from "../words/words";
import type { Parts } from "./parts";

/** Whether each entry of a list is for what the record said when it was made. */
export function isVersioned(field: FieldKind): boolean {
  return (versioned as readonly string[]).includes(field.id) && field.sub.some((s) => s.id === "version_hash");
}

/** Begins an entry for what the record says now: one tap for each person who is still owed it. */
export function Versioned(props: { look: Lookup; record: RecordID; field: string; onAdd: (parts: Parts) => void }) {
  const { client } = useDesk();
  const { look, record } = props;
  const field = props.field as List;
  const view = look.views.get(record);
  const content = useContent(view);
  if (!view || !content) return null;
  if (disputed(view)) return <p class="govuk-hint">{t("agreed.disputed")}</p>;
  const answers = answersOf(look, view, field, content), still = owed(answers);
  const others = answers.filter((a) => !still.includes(a) && (!a.entry || a.earlier));
  const add = async (a?: Answered) => props.onAdd({ version_hash: await client.contentHash(record), ...(field === "signatures" ? signing(a) : giving(a)) });
  return (
    <div class="still">
      {still.length > 0 && <p class="govuk-body todo">{t(field === "signatures" ? "agreed.still" : "copy.still")}</p>}
      <div class="adding">
        {[...still, ...others].map((a) => <Act key={a.who.name} kind="secondary" onAct={() => add(a)}>{a.who.name}</Act>)}
        <Act kind="secondary" onAct={() => add()}>{t("record.other_person")}</Act>
      </div>
    </div>
  );
}

function signing(a: Answered | undefined): Parts {
  return { at: Math.floor(Date.now() / 60_000) * 60_000, ...(a ? { signer: a.who.name, capacity: a.who.capacity } : {}) };
}

/** Each gets what is theirs: those who help their own part, a child their own copy. */
const copyFor = { CHILD: "CHILD", PARENT: "FULL", NETWORK: "NETWORK" };

function giving(a: Answered | undefined): Parts {
  return {
    date: dayOf(Date.now()),
    ...(a ? { recipient: a.who.name, view: copyFor[a.who.capacity], ...(a.who.language ? { language: a.who.language } : {}) } : {}),
  };
}

/** Says so where an entry is for what the record said before. */
export function EarlierVersion(props: { look: Lookup; record: RecordID; element: Element }) {
  const content = useContent(props.look.views.get(props.record));
  if (!content || isFor(props.element, content)) return null;
  return <p class="govuk-body-s todo">{t("agreed.before")}</p>;
}
