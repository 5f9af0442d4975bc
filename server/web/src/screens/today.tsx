import { idOf, type Family, type View } from "@doorstep/client";
import { useEffect, useState } from "preact/hooks";
import { useDesk, useFamilies, useFile, useLoaded } from "../hooks";
import { capital, itemsOf, numberOf, partOf, personName, recordTime, recordTitle, refOf, textOf, type Lookup } from "../look";
import { Loading, Title } from "../parts/basic";
import { Fallible } from "../parts/fallible";
import { WhereOf } from "../parts/where";
import { link } from "../route";
import { dayOf, dayWords, t, timeWords } from "../words/words";

/** What GET /v1/due tells of one child. */
interface ChildDue {
  family: string;
  child: string;
  visits: { type: string; by: string; state: string; why: string }[];
  failed?: string;
  see_by?: string;
  unseen?: string;
}

/** The day: what is planned, what was begun, what is due, and every family. */
export function Today() {
  const { client, syncedMS, online } = useDesk();
  const families = useFamilies();
  const [due, reload, failed] = useLoaded(() => client.api<{ children: ChildDue[] }>("GET", "/v1/due"), [client]);
  useEffect(() => reload(), [syncedMS, online]);
  if (!families) return <Loading />;
  const mine = families.filter((f) => f.readable);
  return (
    <>
      <Title>{t("today.title")}</Title>
      {failed !== undefined && !due && <p class="govuk-body-s">{t("today.due.offline")}</p>}
      {mine.length === 0 && <p class="govuk-body">{t("today.families.none")}</p>}
      <h2 class="govuk-heading-m">{t("today.families")}</h2>
      <ul class="cards">
        {mine.map((f) => <li key={f.family}><Fallible><FamilyCard family={f} due={(due?.children ?? []).filter((d) => d.family === f.family)} /></Fallible></li>)}
      </ul>
    </>
  );
}

function FamilyCard(props: { family: Family; due: ChildDue[] }) {
  const look = useFile(props.family.family);
  if (!look) return <Loading />;
  const views = [...look.views.values()];
  const name = familyName(look);
  const visits = views.filter((v) => v.kind === "visit" && !v.seal);
  const today = dayOf(Date.now());
  const planned = visits.filter((v) => numberOf(v, "start") === undefined && (numberOf(v, "planned") ?? 0) > 0);
  const begun = visits.filter((v) => numberOf(v, "start") !== undefined && !v.handedOver && isMine(look, v));
  const asked = views.flatMap((v) => v.queries.filter((q) => !q.answeredBy).map((q) => ({ v, q })));
  const open = views.filter((v) => v.conflicts.length > 0);
  const risks = views.filter((v) => v.kind === "person").reduce((n, v) => n + itemsOf(v, "hazard").length, 0);
  return (
    <article class="card">
      <h3 class="govuk-heading-m card__title"><a href={link("family", props.family.family)}>{name}</a></h3>
      {risks > 0 && <p class="card__risk"><span aria-hidden="true">▲</span> {t("family.risks")}: {risks}</p>}
      <DueList look={look} due={props.due} />
      {planned.map((v) => <p key={v.record} class="govuk-body card__line">
        <a href={link("record", v.record)}>{capital(recordTitle(look, v))}</a> {when(numberOf(v, "planned")!, today)}</p>)}
      <Lines look={look} title={t("today.unfinished")} views={begun} />
      <Lines look={look} title={t("today.conflicts")} views={open} />
      <Lines look={look} title={t("today.queries")} views={asked.map((a) => a.v)} />
      <p class="card__go"><a class="govuk-button" href={link("family", props.family.family, "visit")} role="button" draggable={false}>
        {t("family.visit")}<span class="govuk-visually-hidden">: {name}</span></a></p>
    </article>
  );
}

/** Whether this person wrote in it, or was on it. */
function isMine(look: Lookup, v: View): boolean {
  return Object.values(v.fields).some((f) => f.set && f.by.author === look.user)
    || itemsOf(v, "workers").some((e) => idOf(partOf(e, "worker")) === look.user);
}

/** How many lines a card gives to one subject; the family's own page has them all. */
const mostLines = 4;

function when(ms: number, today: string): string {
  return dayOf(ms) === today ? timeWords(ms) : dayWords(dayOf(ms));
}

function Lines(props: { look: Lookup; title: string; views: View[] }) {
  const views = [...new Set(props.views)].sort((a, b) => recordTime(b) - recordTime(a));
  const more = views.length - mostLines, family = views[0]?.family;
  if (!family) return null;
  return (
    <div class="card__lines">
      <h4 class="govuk-heading-s">{props.title}</h4>
      <ul class="govuk-list">
        {views.slice(0, mostLines).map((v) => (
          <li key={v.record}><a href={link("record", v.record)}>{capital(recordTitle(props.look, v))}</a> <WhereOf record={v.record} /></li>
        ))}
        {more > 0 && <li><a href={link("family", family)}>{t("today.more", { n: more })}</a></li>}
      </ul>
    </div>
  );
}

function DueList(props: { look: Lookup; due: ChildDue[] }) {
  const [all, setAll] = useState(false);
  const lines = props.due.flatMap((d) => dueLines(props.look, d));
  if (lines.length === 0) return null;
  const shown = all ? lines : lines.slice(0, 3);
  return (
    <ul class="govuk-list due">
      {shown.map((l) => <li key={l.words} class={"due__line due__line--" + l.state}>{l.words}{l.why && <span class="govuk-hint due__why">{l.why}</span>}</li>)}
      {lines.length > 3 && !all && <li><button type="button" class="plain-button" onClick={() => setAll(true)}>{t("today.more", { n: lines.length - 3 })}</button></li>}
    </ul>
  );
}

function dueLines(look: Lookup, d: ChildDue): { state: string; words: string; why: string }[] {
  const child = look.views.get(d.child);
  const name = child ? personName(child) : t("record.person.missing");
  const out = d.visits.map((v) => ({
    state: v.state, why: v.why,
    words: `${name}: ${v.state === "overdue" ? t("today.due.overdue", { day: dayWords(v.by) }) : t("today.due.by", { day: dayWords(v.by) })}`,
  }));
  if (d.failed && d.see_by) out.unshift({ state: "overdue", why: "", words: `${name}: ${t("today.due.see_by", { day: dayWords(d.failed), by: dayWords(d.see_by) })}` });
  if (d.unseen) out.unshift({ state: "overdue", why: "", words: `${name}: ${t("today.due.unseen")}` });
  return out;
}

/** What a family is called in lists. */
export function familyName(look: Lookup): string {
  const sheet = [...look.views.values()].find((v) => v.kind === "family");
  return (sheet && textOf(sheet, "name")) || t("family.none");
}

/** The visit that a child's part belongs to. */
export function visitOf(look: Lookup, v: View): View | undefined {
  const id = refOf(v, "visit");
  return id ? look.views.get(id) : undefined;
}

