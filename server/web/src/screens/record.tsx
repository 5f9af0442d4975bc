import { headsOf } from "../heads";
import type { FieldKind, Problem, Query, RecordID, View } from "@doorstep/client";
import { useEffect, useId, useState } from "preact/hooks";
import { emptyView } from "../begin";
import { fileOf, filesElsewhere } from "../facts";
import { Sections } from "../form/sections";
import { Sketches, useSketchedText } from "../form/sketch";
import { useDesk, useFamilies, useLoaded, usePart, useRecord, useStatus } from "../hooks";
import { authorName, capital, kindOf, missing, personName, recordTitle, refOf, type Lookup } from "../look";
import { Act, Back, Box, Loading, Title } from "../parts/basic";
import { Marks, Where } from "../parts/where";
import { link } from "../route";
import { t, timeWords } from "../words/words";
import { familyName } from "./today";
import { quiet } from "../form/quiet";

/** One record, drawn from its kind's schema. Knows no kind but the visit, whose parts it links. */
export function RecordScreen(props: { record: RecordID; field: string }) {
  const [view, failed] = useRecord(props.record);
  if (failed !== undefined && !view) return <><Back to={link("today")} label={t("nav.today")} /><p class="govuk-body">{t("record.none")}</p></>;
  if (!view) return <Loading />;
  return <Sketches key={view.record} view={view}><Loaded view={view} field={props.field} /></Sketches>;
}

/** A record that its first entry will begin. */
export function BeginScreen(props: { record: RecordID; kind: string; family: string }) {
  const { client } = useDesk();
  const { record, kind, family } = props;
  useEffect(() => client.on("record", (e) => {
    const here = location.hash.startsWith(link("begin", record)); // the person may be on the way elsewhere
    if (here && e.record === record) location.replace(link("record", record));
  }), [client, record]);
  const [view] = useState(() => emptyView(record, kind, family));
  return <Sketches view={view}><Loaded view={view} field="" /></Sketches>;
}

function Loaded(props: { view: View; field: string }) {
  const { view } = props;
  const { facts } = useDesk();
  const families = useFamilies();
  const look = usePart(view.family)!;
  const status = useStatus(view.record);
  useNames(view.record);
  const problems = useProblems(view);
  const [wanted, setWanted] = useState({ field: props.field, ask: 0 });
  const show = (field: string) => setWanted((old) => ({ field, ask: old.ask + 1 }));
  useEffect(() => { if (props.field) show(props.field); }, [props.field]);
  const kind = kindOf(look, view.kind);
  if (!kind) return <p class="govuk-body">{t("record.none")}</p>;
  const final = view.seal !== undefined, file = fileOf(facts, view.family);
  const family = look.whole ? familyName(look, file) : "…", elsewhere = families && file && filesElsewhere(facts, families).includes(file);
  return (
    <>
      {elsewhere ? <Back to={link("today")} label={t("nav.today")} /> : <Back to={link("family", view.family)} label={family} />}
      <Title caption={family}>{capital(recordTitle(look, view))}</Title>
      <div class="record__state"><Where status={status} /></div>
      <Marks marks={status?.marks ?? []} />
      {elsewhere && <p class="govuk-body-s">{t("record.elsewhere")}</p>}
      <PartLinks look={look} view={view} />
      {final && <Box kind="notice"><p class="govuk-body">{t("record.final")}</p></Box>}
      {view.queries.map((q) => <Asked key={q.id} look={look} record={view.record} query={q} />)}
      <Sections look={look} view={view} final={final} problems={problems} wanted={wanted} />
      {final && <Later look={look} view={view} />}
      {!final && view.heads.length > 0 && <HandOver look={look} view={view} problems={problems} onShow={show} />}
    </>
  );
}

/** The parts of a visit: the household's, and each child's on that child's own file. */
function PartLinks(props: { look: Lookup; view: View }) {
  const { look, view } = props;
  const parts = partsOfVisit(look, view);
  if (parts.length < 2) return null;
  return (
    <nav class="moj-sub-navigation" aria-label={t("record.parts")}>
      <ul class="moj-sub-navigation__list">
        {parts.map((p) => {
          const child = refOf(p, "child"), person = child ? look.views.get(child) : undefined;
          return (
            <li key={p.record} class="moj-sub-navigation__item">
              <a class="moj-sub-navigation__link" href={link("record", p.record)} aria-current={p.record === view.record ? "page" : undefined}>
                {p.kind === "visit" ? t("record.household") : person ? personName(person) : missing(look)}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** The records that are sealed as one with this one, the whole first. */
function partsOfVisit(look: Lookup, view: View): View[] {
  const kind = kindOf(look, view.kind);
  const whole = kind?.part ? look.views.get(refOf(view, kind.part) ?? "") : view;
  if (!whole) return [view];
  const parts = [...look.views.values()].filter((v) => {
    const part = kindOf(look, v.kind)?.part;
    return part && refOf(v, part) === whole.record;
  });
  return [whole, ...parts.sort((a, b) => a.record.localeCompare(b.record))];
}

/** The coordinator's question, and the answer to it. */
function Asked(props: { look: Lookup; record: RecordID; query: Query }) {
  const { query: q, look } = props;
  const answer = useSketchedText("answer " + q.id, (text) => ({ op: "answer", query: q.id, text }));
  const id = useId();
  if (q.answeredBy) {
    return <Box kind="notice"><p class="govuk-body">{q.question}</p><p class="govuk-body"><strong>{t("record.answered")}:</strong> {q.answer}</p></Box>;
  }
  return (
    <Box kind="ask" title={t("record.query", { name: authorName(look, q.by.author) })}>
      <p class="govuk-body">{q.question}</p>
      <label class="govuk-label govuk-label--s" for={id}>{t("record.query.answer")}</label>
      <textarea id={id} class="govuk-textarea" rows={3} value={answer.text} {...quiet} onInput={(e) => answer.write(e.currentTarget.value)} />
      <p class="field-state" role="status">{answer.state}</p>
      <Act onAct={answer.give} disabled={answer.text.trim() === ""}>{t("record.query.go")}</Act>
    </Box>
  );
}

/** What keeps a record from being final, as the engine finds it; undefined until it is known, and of what is not begun. */
function useProblems(view: View): Problem[] | undefined {
  const { client } = useDesk();
  const begun = view.heads.length > 0;
  const [problems, reload] = useLoaded(async () => begun ? client.problems(view.record) : undefined, [client, view.record, begun]);
  useEffect(() => reload(), [view]);
  return problems;
}

function HandOver(props: { look: Lookup; view: View; problems: Problem[] | undefined; onShow: (field: string) => void }) {
  const { client } = useDesk();
  const { look, view } = props;
  const kind = kindOf(look, view.kind)!;
  if (!kind.finalises) return <ShowLinks view={view} />;
  const whole = kind.part === "";
  const hand = async () => {
    for (const p of partsOfVisit(look, view)) await client.save(p.record);
    await client.apply(view.record, { op: "hand_over" });
  };
  const confirm = async () => {
    for (const p of partsOfVisit(look, view)) {
      await client.save(p.record);
      await client.apply(p.record, { op: "confirm", heads: [headsOf(p.record, await client.heads(p.record))] });
    }
  };
  return (
    <section class="hand-over">
      <ShowLinks view={view} />
      <h2 class="govuk-heading-m">{t("record.hand")}</h2>
      <Lacking kind={kind.fields} problems={props.problems} onShow={props.onShow} />
      {view.typedUp.map((x) => <p key={x.by.change} class="govuk-body">{t("record.typed", { name: authorName(look, x.by.author), whose: authorName(look, x.for), source: x.source })}</p>)}
      {view.confirmed.map((c) => <p key={c.by.change} class="govuk-body">{c.stands
        ? t(c.for ? "record.confirmed.for" : "record.confirmed", { name: authorName(look, c.by.author), whose: authorName(look, c.for ?? ""), time: timeWords(c.by.at) })
        : t("record.confirmed.void", { name: authorName(look, c.by.author) })}</p>)}
      {view.handedOver && <p class="govuk-body"><strong>{t("record.handed", { time: timeWords(view.handedOver.at) })}</strong></p>}
      {whole && !view.handedOver && <><p class="govuk-hint">{t("record.hand.help")}</p><Act onAct={hand}>{t("record.hand")}</Act></>}
      {whole && view.handedOver && kind.needsConfirmation && !view.confirmed.some((c) => c.stands && (c.for ?? c.by.author) === look.user) && <Act onAct={confirm}>{t("record.confirm")}</Act>}
    </section>
  );
}

/** What still keeps a record from being final, with a way to each field. */
function Lacking(props: { kind: FieldKind[]; problems: Problem[] | undefined; onShow: (field: string) => void }) {
  if (!props.problems) return null;
  const stops = props.problems.filter((p) => !p.warn), warns = props.problems.filter((p) => p.warn);
  if (props.problems.length === 0) return <p class="govuk-body">{t("record.hand.nothing")}</p>;
  return (
    <>
      {stops.length > 0 && <><h3 class="govuk-heading-s">{t("record.hand.lacks")}</h3><ProblemList {...props} problems={stops} /></>}
      {warns.length > 0 && <><h3 class="govuk-heading-s">{t("record.hand.worth")}</h3><ProblemList {...props} problems={warns} /></>}
    </>
  );
}

function ProblemList(props: { kind: FieldKind[]; problems: Problem[]; onShow: (field: string) => void }) {
  const { say } = useDesk();
  return (
    <ul class="govuk-list lacking">
      {props.problems.map((p, i) => {
        const field = props.kind.find((f) => f.id === p.field), part = field?.sub.find((s) => s.id === p.part);
        return (
          <li key={i}>
            <button type="button" class="plain-button" onClick={() => props.onShow(p.field)}>{field?.name ?? p.field}{part && `: ${part.name}`}</button>
            {p.check !== "unfilled" && <span class="lacking__why">{say(p.plain)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function ShowLinks(props: { view: View }) {
  const { view } = props;
  return (
    <p class="govuk-body">
      {view.kind === "plan" && <><a href={link("plan", view.record)}>{t("family.plan.read")}</a> · </>}
      <a href={link("show", view.record)}>{t("record.show")}</a>
    </p>
  );
}

/** What is added to a final record; what is final never changes. */
function Later(props: { look: Lookup; view: View }) {
  const { look, view } = props;
  const added = useSketchedText("addendum", (text) => ({ op: "addendum", text }));
  const id = useId();
  return (
    <section>
      <h2 class="govuk-heading-m">{t("record.addenda")}</h2>
      {view.addenda.map((a) => (
        <div class="entry" key={a.by.change}>
          {a.text !== "" && <p class="text">{a.text}</p>}
          {a.text === "" && a.late && <p class="text">{t("record.late.steps", { n: a.steps })}</p>}
          <p class="entry__by">{t("conflict.side", { name: authorName(look, a.by.author), time: timeWords(a.by.at) })}{a.late && ", " + t("record.late")}</p>
        </div>
      ))}
      <label class="govuk-label govuk-label--s" for={id}>{t("record.addendum.text")}</label>
      <textarea id={id} class="govuk-textarea" rows={3} value={added.text} {...quiet} onInput={(e) => added.write(e.currentTarget.value)} />
      <p class="field-state" role="status">{added.state}</p>
      <Act onAct={added.give} kind="secondary" disabled={added.text.trim() === ""}>{t("record.addendum.go")}</Act>
    </section>
  );
}

/** Learns who colleagues are from the server's page of this record, if it is in reach. */
function useNames(record: RecordID): void {
  const { client, learn, online } = useDesk();
  useEffect(() => {
    if (!online) return;
    client.api<{ people?: { [user: string]: string } }>("GET", "/v1/records/" + record).then((p) => { if (p.people) learn(p.people); }, () => undefined);
  }, [client, record, online, learn]);
}
