import { idOf, type Family, type View } from "@doorstep/client";
import { useState } from "preact/hooks";
import { plansInForce } from "../agreed";
import { mayVisit, plannedVisits } from "../begin";
import { filesElsewhere, stateOn, fileOf, type File, type ChildDue, type VisitDue } from "../facts";
import { useDesk, useFamilies, useFile, useParts } from "../hooks";
import { capital, codeLabel, fieldOf, itemsOf, kindOf, numberOf, partOf, personName, recordTime, recordTitle, refOf, textOf, type Lookup } from "../look";
import { StillToDo } from "../parts/agreed";
import { Loading, Title } from "../parts/basic";
import { Elsewhere } from "../parts/elsewhere";
import { Fallible } from "../parts/fallible";
import { WhereOf } from "../parts/where";
import { link } from "../route";
import type { Key } from "../words/en";
import { dayOf, dayWords, t, timeWords } from "../words/words";

/** The day: what is planned, what was begun, what is due, and every family. */
export function Today() {
  const { facts, role } = useDesk();
  const families = useFamilies();
  const mine = (families ?? []).filter((f) => f.readable && !filesElsewhere(facts, families).some((e) => e.family === f.family));
  const looks = useParts(mine.map((f) => f.family));
  if (!families) return <Loading />;
  const dueIn = (f: Family) => (facts?.children ?? []).filter((d) => d.family === f.family);
  return (
    <>
      <Title caption={dayWords(dayOf(Date.now()))}>{t("today.title")}</Title>
      {mine.length === 0 && (facts?.files ?? []).length === 0 && <p class="govuk-body">{t("today.families.none")}</p>}
      {mine.length > 0 && <Visits looks={looks} />}
      {mine.length > 0 && role !== "volunteer" && <FactsAge />}
      {mine.length > 0 && <h2 class="govuk-heading-m">{t("today.families")}</h2>}
      <ul class="cards">
        {[...mine].sort((a, b) => urgency(dueIn(a)).localeCompare(urgency(dueIn(b)))).map((f) => (
          <li key={f.family}><Fallible><FamilyCard family={f} due={dueIn(f)} /></Fallible></li>
        ))}
      </ul>
      <Elsewhere />
    </>
  );
}

/** How old what is said of what is due may be. */
function FactsAge() {
  const { facts } = useDesk();
  if (!facts) return <p class="govuk-body-s">{t("today.due.offline")}</p>;
  if (Date.now() - facts.atMS < factsFreshMS) return null;
  return <p class="govuk-body-s">{t("today.due.as_of", { time: timeWords(facts.atMS) })}</p>;
}

const factsFreshMS = 60 * 60_000;

/** Sorts families: who was not seen for too long, then by the first day. */
function urgency(due: ChildDue[]): string {
  const days = due.flatMap((d) => [d.unseen ? "0" : "", d.see_by ?? "", ...d.visits.map((v) => v.by)]).filter(Boolean).sort();
  return days[0] ?? "9";
}

/** Today's visits of all families, and those that were begun and are not handed over. */
function Visits(props: { looks: Lookup[] }) {
  const today = dayOf(Date.now());
  const visits = props.looks.flatMap((look) => [...look.views.values()].filter((v) => v.kind === "visit" && !v.seal).map((v) => ({ look, v })));
  const planned = props.looks.flatMap((look) => plannedVisits(look).map((v) => ({ look, v }))).filter(({ v }) => dayOf(numberOf(v, "planned")!) <= today);
  const begun = visits.filter(({ look, v }) => isBegun(look, v) || isHandedToday(look, v, today));
  const sorted = [...planned, ...begun].sort((a, b) => timeOf(a.v) - timeOf(b.v));
  return (
    <section>
      <h2 class="govuk-heading-m">{t("today.planned")}</h2>
      {sorted.length === 0 && <p class="govuk-body">{t("today.none_planned")}</p>}
      <ul class="records">
        {sorted.map(({ look, v }) => (
          <li key={v.record}>
            <strong class="records__time">{when(timeOf(v), today)}</strong>
            <a href={link("record", v.record)}>{familyName(look)}: {capital(recordTitle(look, v))}</a>
            {isBegun(look, v) && <span class="records__day">{t("today.begun")}</span>}
            {v.handedOver && <span class="records__day">{t("today.handed")}</span>}
            <WhereOf record={v.record} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function isBegun(look: Lookup, v: View): boolean {
  return numberOf(v, "start") !== undefined && !v.handedOver && isMine(look, v);
}

/** What was done today stays in the day's list, to be looked up again. */
function isHandedToday(look: Lookup, v: View, today: string): boolean {
  return v.handedOver !== undefined && dayOf(numberOf(v, "start") ?? 0) === today && isMine(look, v);
}

const timeOf = (v: View) => numberOf(v, "start") ?? numberOf(v, "planned") ?? 0;

function FamilyCard(props: { family: Family; due: ChildDue[] }) {
  const { facts, role } = useDesk();
  const look = useFile(props.family.family);
  if (!look) return <Loading />;
  const views = [...look.views.values()];
  const name = familyName(look, fileOf(facts, props.family.family));
  const today = dayOf(Date.now());
  const later = plannedVisits(look).filter((v) => dayOf(numberOf(v, "planned")!) > today);
  const asked = views.flatMap((v) => v.queries.filter((q) => !q.answeredBy).map((q) => ({ v, q })));
  const open = views.filter((v) => v.conflicts.length > 0);
  const risks = views.filter((v) => v.kind === "person").reduce((n, v) => n + itemsOf(v, "hazard").length, 0);
  return (
    <article class="card">
      <h3 class="govuk-heading-m card__title"><a href={link("family", props.family.family)}>{name}</a></h3>
      {risks > 0 && <p class="card__risk"><span aria-hidden="true">▲</span> {t("today.risks", { n: risks })}</p>}
      <DueList look={look} due={props.due} />
      {later.map((v) => <p key={v.record} class="govuk-body card__line">
        <a href={link("record", v.record)}>{capital(recordTitle(look, v))}</a> {timeWords(numberOf(v, "planned")!)}</p>)}
      {plansInForce(look).map((p) => <StillToDo key={p.record} look={look} plan={p} />)}
      <Lines look={look} title={t("today.conflicts")} views={open} />
      <Lines look={look} title={t("today.queries")} views={asked.map((a) => a.v)} />
      {mayVisit(role) && <p class="card__go"><a class="govuk-button" href={link("family", props.family.family, "visit")} role="button" draggable={false}>
        {t("family.visit")}<span class="govuk-visually-hidden">: {name}</span></a></p>}
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

interface DueLine { state: string; words: string; why: string }

function dueLines(look: Lookup, d: ChildDue): DueLine[] {
  const child = look.views.get(d.child);
  const name = child ? personName(child) : t("record.person.missing");
  const out = d.visits.map((v): DueLine => {
    const state = stateOn(v, dayOf(Date.now())), type = codeLabel(fieldOf(kindOf(look, "visit"), "visit_type"), v.type);
    const since = visitedSince(look, d.child, v);
    return {
      state, words: `${name}: ${t(state === "overdue" ? "today.due.overdue" : "today.due.by", { day: dayWords(v.by), type })}`,
      why: [reasonWords(v), ...(["alone", "bedroom", "home"] as const).filter((n) => v[n]).map((n) => t(`today.due.${n}`)), since].filter(Boolean).map((s) => s + ".").join(" "),
    };
  });
  if (d.failed && d.see_by) out.unshift({ state: "overdue", why: "", words: `${name}: ${t("today.due.see_by", { day: dayWords(d.failed), by: dayWords(d.see_by) })}` });
  if (d.unseen) out.unshift({ state: "overdue", why: "", words: `${name}: ${t("today.due.unseen")}` });
  return out;
}

/** What the server rests a day on where no regulation is named (package clocks). */
const bases: { [basis: string]: Key } = { "Local policy": "today.due.policy", "The plan": "today.due.plan" };

/** Its units of time, one and many. */
const units: { [unit: string]: [Key, Key] } = {
  WD: ["today.due.wd_one", "today.due.wd"], CD: ["today.due.cd_one", "today.due.cd"],
  WEEK: ["today.due.week_one", "today.due.week"], MONTH: ["today.due.month_one", "today.due.month"],
};

/** Why a visit is due by its day: "Reg 28(2)(b): 6 weeks from 3 May 2026". Regulations, and who decided, are said as they are. */
function reasonWords(v: VisitDue): string {
  const basis = bases[v.basis], unit = units[v.unit];
  if (!unit) return basis ? t(basis) : v.basis;
  return t("today.due.why", { basis: basis ? t(basis) : v.basis, every: t(unit[v.every === 1 ? 0 : 1], { n: v.every }), day: dayWords(v.from) });
}

/** A visit on this tablet in which the child was seen, and that the server has not counted when it was asked last. */
function visitedSince(look: Lookup, child: string, due: VisitDue): string {
  const parts = [...look.views.values()].filter((v) => v.kind === "visit_child" && refOf(v, "child") === child && textOf(v, "seen") === "Y");
  const visits = parts.map((p) => visitOf(look, p)).filter((v) => v && textOf(v, "visit_type") === due.type && !v.seal && !v.handedOver);
  const last = Math.max(0, ...visits.map((v) => numberOf(v!, "start") ?? 0));
  return last > 0 ? t("today.due.since", { day: dayWords(dayOf(last)) }) : "";
}

/** What a family is called in lists; who may not know it, by what the server calls its file. */
export function familyName(look: Lookup, file?: File): string {
  const sheet = [...look.views.values()].find((v) => v.kind === "family");
  return (sheet && textOf(sheet, "name")) || file?.name || t("family.unnamed");
}

/** The visit that a child's part belongs to. */
export function visitOf(look: Lookup, v: View): View | undefined {
  const id = refOf(v, "visit");
  return id ? look.views.get(id) : undefined;
}
