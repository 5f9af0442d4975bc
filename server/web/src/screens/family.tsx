import type { FamilyID, Value, View } from "@doorstep/client";
import { useId, useState } from "preact/hooks";
import { beginnable, beginRecord, beginVisit, childrenOf, likelyVisitType, mayVisit, plannedVisits, startPlanned } from "../begin";
import { fileOf } from "../facts";
import { hex, plansInForce } from "../agreed";
import { Choices } from "../form/input";
import { TimeInput } from "../form/when";
import { useDesk, useFamilies, useFile, useLoaded, useStatus } from "../hooks";
import { ageWords, capital, codeLabel, fieldOf, itemsOf, kindOf, numberOf, partOf, partText, personName, recordTime, recordTitle, refOf, textOf, valueWords, type Lookup } from "../look";
import { Age } from "../parts/age";
import { Agreed } from "../parts/agreed";
import { Act, Back, Box, Loading, Title } from "../parts/basic";
import { Where } from "../parts/where";
import { go, link, useRoute } from "../route";
import { dayOf, dayWords, languageName, t, timeWords } from "../words/words";
import { familyName } from "./today";

/** A family at a glance: what to know before knocking, who is who, the plan in force. */
export function FamilyScreen(props: { family: FamilyID }) {
  const look = useFile(props.family);
  const families = useFamilies();
  const { facts, role } = useDesk();
  const [, , toVisit] = useRoute();
  if (!look || !families) return <Loading />;
  const standing = families.find((f) => f.family === props.family);
  const back = <Back to={link("today")} label={t("nav.today")} />;
  if (!standing) return <>{back}<p class="govuk-body">{t("family.none")}</p></>;
  if (!standing.readable) return <>{back}<Title>{t("family.unnamed")}</Title><Box kind="notice"><p class="govuk-body">{t("family.closed")}</p></Box></>;
  return (
    <>
      {back}
      <Title>{familyName(look, fileOf(facts, props.family))}</Title>
      <Risks look={look} />
      {mayVisit(role) && <StartVisit look={look} family={props.family} now={toVisit === "visit"} />}
      <People look={look} />
      <PlanInForce look={look} />
      <Records look={look} family={props.family} />
    </>
  );
}

function Risks(props: { look: Lookup }) {
  const { look } = props;
  const people = [...look.views.values()].filter((v) => v.kind === "person" && itemsOf(v, "hazard").length > 0);
  const parts = fieldOf(kindOf(look, "person"), "hazard")?.sub ?? [];
  if (people.length === 0) return <p class="govuk-body-s">{t("family.risks.none")}</p>;
  return (
    <Box kind="risk" title={t("family.risks")}>
      <ul class="govuk-list risks">
        {people.flatMap((p) => itemsOf(p, "hazard").map((h) => {
          const review = partText(h, "review_date");
          return (
            <li key={h.element}>
              <strong>{codeLabel(parts.find((s) => s.id === "code"), partOf(h, "code"))}</strong> ({personName(p)}): {partText(h, "text")}
              {review && review < dayOf(Date.now()) && <span class="overdue"> {t("family.risks.review", { day: dayWords(review) })}</span>}
              {h.removed && <span class="overdue"> {t("record.removed.stands")}</span>}
            </li>
          );
        }))}
      </ul>
    </Box>
  );
}

function StartVisit(props: { look: Lookup; family: FamilyID; now: boolean }) {
  const { client, role } = useDesk();
  const [open, setOpen] = useState(props.now);
  const [type, setType] = useState(() => likelyVisitType(props.look));
  const id = useId();
  const types = fieldOf(kindOf(props.look, "visit"), "visit_type")?.codes ?? [];
  const [planned, setPlanned] = useState<Value>(null);
  const begin = async () => go("record", await beginVisit(client, props.look, props.family, type, role));
  const plan = async () => {
    await beginVisit(client, props.look, props.family, type, role, planned as number);
    go("today");
  };
  if (!open) return <button type="button" class="govuk-button start" onClick={() => setOpen(true)}>{t("family.visit")}</button>;
  return (
    <section class="start-visit" aria-label={t("family.visit")}>
      <label class="govuk-label govuk-label--s" for={id}>{t("family.visit.type")}</label>
      <Unsafe />
      <Choices id={id} value={type} onValue={(v) => setType(v || type)} choices={types.map((c) => ({ value: c.code, words: c.label }))} />
      <Act onAct={begin}>{t("family.visit.go")}</Act>
      {plannedVisits(props.look).map((v) => (
        <Act key={v.record} onAct={async () => go("record", await startPlanned(client, props.look, v, role))}>
          {t("family.visit.planned", { time: timeWords(numberOf(v, "planned")!) })}
        </Act>
      ))}
      <details class="another">
        <summary>{t("family.visit.later")}</summary>
        <TimeInput legend={t("family.visit.when")} help="" value={planned} onValue={setPlanned} open />
        <Act kind="secondary" onAct={plan} disabled={typeof planned !== "number"}>{t("family.visit.plan")}</Act>
      </details>
    </section>
  );
}

/** Said before a visit that would be recorded without a signal on storage that the browser may throw away. */
function Unsafe() {
  const { client, online } = useDesk();
  const [storage] = useLoaded(() => client.storage(), [client]);
  if (online || !storage || storage.persisted) return null;
  return <Box kind="risk"><p class="govuk-body">{t("outbox.not_persisted")}</p></Box>;
}

function People(props: { look: Lookup }) {
  const { look } = props;
  const children = childrenOf(look);
  const others = [...look.views.values()].filter((v) => v.kind === "person" && !children.includes(v)).sort((a, b) => personName(a).localeCompare(personName(b)));
  return (
    <section>
      <h2 class="govuk-heading-m">{t("family.who")}</h2>
      <ul class="people">
        {[...children, ...others].map((p) => <li key={p.record}><OnePerson look={look} person={p} /></li>)}
      </ul>
    </section>
  );
}

function OnePerson(props: { look: Lookup; person: View }) {
  const { look, person } = props;
  const dob = textOf(person, "dob"), expected = textOf(person, "expected_dob"), died = textOf(person, "died"), known = textOf(person, "known_as"), full = textOf(person, "names");
  const kind = kindOf(look, "person");
  const interpreter = textOf(person, "interpreter");
  const open = (f: string) => itemsOf(person, f).filter((e) => !partText(e, "to") || partText(e, "to") >= dayOf(Date.now()));
  return (
    <div class="person">
      <p class="person__name"><a href={link("record", person.record)}>{known || full}</a>{dob && !died && <span class="person__age"> {ageWords(dob)}</span>}</p>
      {known && full !== known && <p class="person__line">{full}</p>}
      {dob && <p class="person__line">{t("family.born", { day: dayWords(dob) })}</p>}
      {died && <p class="person__line">{t("family.died", { day: dayWords(died) })}</p>}
      {expected && <p class="person__line">{t("family.expected", { day: dayWords(expected) })}</p>}
      <Relations look={look} person={person} />
      <Statuses look={look} person={person} />
      {interpreter !== "" && interpreter !== "NONE" && <p class="person__line"><strong>{t("family.interpreter", { language: languageName(textOf(person, "language")) })}</strong>
        {" "}({valueWords(look, fieldOf(kind, "interpreter")!, interpreter)})</p>}
      {open("phone").map((e) => <p key={e.element} class="person__line"><a href={"tel:" + partText(e, "text").replace(/[^+\d]/g, "")}>{partText(e, "text")}</a><Secret on={partText(e, "confidential")} /></p>)}
      {open("address").map((e) => <p key={e.element} class="person__line">{addressWords(partText(e, "text"))}<Secret on={partText(e, "confidential")} /></p>)}
    </div>
  );
}

/** An address whose postcode stays on one line. */
function addressWords(address: string): string {
  return address.replace(/ (\d[A-Z]{2})$/, "\u00a0$1");
}

function Secret(props: { on: string }) {
  return props.on === "Y" ? <strong class="moj-badge moj-badge--red"> {t("family.confidential")}</strong> : null;
}

function Relations(props: { look: Lookup; person: View }) {
  const { look, person } = props;
  const sheet = [...look.views.values()].find((v) => v.kind === "family");
  if (!sheet) return null;
  const type = fieldOf(kindOf(look, "family"), "relationship")?.sub.find((s) => s.id === "type");
  const mine = itemsOf(sheet, "relationship").map((e) => ({ a: refIn(e, "a"), b: refIn(e, "b"), words: codeLabel(type, partOf(e, "type")) })).filter((r) => r.a === person.record);
  if (mine.length === 0) return null;
  const grouped = new Map<string, string[]>();
  for (const r of mine) {
    const other = r.b ? look.views.get(r.b) : undefined;
    grouped.set(r.words, [...(grouped.get(r.words) ?? []), other ? personName(other) : t("record.person.missing")]);
  }
  return <>{[...grouped].map(([words, who]) => <p key={words} class="person__line">{words} {who.join(", ")}</p>)}</>;
}

function refIn(e: Parameters<typeof partOf>[0], part: string): string | undefined {
  const v = partOf(e, part);
  return v instanceof Uint8Array ? hex(v) : undefined;
}

function Statuses(props: { look: Lookup; person: View }) {
  const { look, person } = props;
  const kind = fieldOf(kindOf(look, "status"), "kind");
  const now = [...look.views.values()].filter((v) => v.kind === "status" && refOf(v, "child") === person.record && !textOf(v, "to"));
  return <>{now.map((v) => <strong key={v.record} class="moj-badge moj-badge--blue">{codeLabel(kind, textOf(v, "kind"))}</strong>)}</>;
}

/** Plans that count, and whether what is shown here is what the borough has. */
function PlanInForce(props: { look: Lookup }) {
  const { look } = props;
  const plans = plansInForce(look);
  return (
    <section>
      <h2 class="govuk-heading-m">{t("family.plan")}</h2>
      {plans.length === 0 && <p class="govuk-body">{t("family.plan.none")}</p>}
      {plans.map((p) => <OnePlan key={p.record} look={look} plan={p} />)}
    </section>
  );
}

function OnePlan(props: { look: Lookup; plan: View }) {
  const { plan } = props;
  const status = useStatus(plan.record);
  return (
    <div class="plan-card">
      <Age />
      {status?.state === "only_here" && <p class="govuk-body-s">{t("family.copy.own")}</p>}
      <h3 class="govuk-heading-s">{t("family.rules")}</h3>
      <ul class="govuk-list govuk-list--bullet">
        {itemsOf(plan, "rules").map((e) => <li key={e.element}>{partText(e, "text")} <span class="govuk-hint inline">{[partText(e, "who"), partText(e, "when")].filter(Boolean).join(", ")}</span>
          {e.removed && <span class="overdue"> {t("record.removed.stands")}</span>}</li>)}
      </ul>
      <h3 class="govuk-heading-s">{t("family.network")}</h3>
      <ul class="govuk-list">
        {itemsOf(plan, "network").filter((e) => partText(e, "poses_risk") !== "Y").map((e) => <li key={e.element}>{partText(e, "name")} <a href={"tel:" + partText(e, "contact").replace(/[^+\d]/g, "")}>{partText(e, "contact")}</a></li>)}
      </ul>
      <Agreed look={props.look} plan={plan} />
      <p class="govuk-body"><a href={link("record", plan.record)}>{t("family.plan.open")}</a> · <a href={link("plan", plan.record)}>{t("family.plan.read")}</a></p>
    </div>
  );
}

/** How many records are listed until somebody asks for all. */
const latest = 40;

/** Kinds that are not listed: they are shown as what they say. */
const shownElsewhere = ["family", "person", "allocation", "status", "visit_child"];

function Records(props: { look: Lookup; family: FamilyID }) {
  const { look } = props;
  const { client } = useDesk();
  const [states, setStates] = useState<Map<string, Parameters<typeof Where>[0]["status"]>>();
  if (!states) {
    setStates(new Map());
    void client.records(props.family).then((list) => setStates(new Map(list.map((r) => [r.record, r.status]))));
  }
  const [all, setAll] = useState(false);
  const list = [...look.views.values()].filter((v) => !shownElsewhere.includes(v.kind)).sort((a, b) => recordTime(b) - recordTime(a));
  const shown = all ? list : list.slice(0, latest);
  return (
    <section>
      <h2 class="govuk-heading-m">{t("family.records")}</h2>
      <Another {...props} />
      {list.length === 0 && <p class="govuk-body">{t("family.records.none")}</p>}
      <ul class="records">
        {shown.map((v) => (
          <li key={v.record}>
            <a href={link("record", v.record)}>{capital(recordTitle(look, v))}</a>
            <span class="records__day">{dayWords(dayOf(recordTime(v)))}</span>
            <Where status={states?.get(v.record)} />
            {v.conflicts.length > 0 && <strong class="moj-badge moj-badge--orange">{t("conflict.title")}</strong>}
            {v.seal && <strong class="moj-badge moj-badge--grey">{t("where.final")}</strong>}
          </li>
        ))}
      </ul>
      {shown.length < list.length && <button type="button" class="govuk-button govuk-button--secondary" onClick={() => setAll(true)}>{t("family.records.all", { n: list.length })}</button>}
    </section>
  );
}

function Another(props: { look: Lookup; family: FamilyID }) {
  const { client, role } = useDesk();
  const id = useId();
  const kinds = beginnable(props.look, role);
  const begin = async (kind: string) => { if (kind) go(...await beginRecord(client, props.look, props.family, kind)); };
  if (kinds.length === 0) return null;
  return (
    <details class="another">
      <summary>{t("family.record")}</summary>
      <ul class="another__list" id={id}>
        {kinds.map((k) => <li key={k.id}><Act kind="secondary" onAct={() => begin(k.id)}>{capital(k.name)}</Act></li>)}
      </ul>
    </details>
  );
}
