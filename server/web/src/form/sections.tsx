import type { FieldKind, Problem, View } from "@doorstep/client";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { kindOf, type Lookup } from "../look";
import { t } from "../words/words";
import { isSeldom, isUnasked, sectionsOf, standingOf, type Section, type Standing } from "./arrange";
import { Field } from "./field";
import { useBegunFields } from "./sketch";

interface Props {
  look: Lookup;
  view: View;
  final: boolean;
  problems: Problem[] | undefined;
  /** The field that the person asked for, as `ask` counts; "": none. */
  wanted: { field: string; ask: number };
}

/**
 * The form of a record, folded into sections. One that holds a disagreement, a flag, an
 * answer that cannot be, or words that are not kept yet opens by itself.
 */
export function Sections(props: Props) {
  const { look, view, problems, final } = props;
  const kind = kindOf(look, view.kind)!;
  const sections = useMemo(() => sectionsOf(kind), [kind]);
  const standings = sections.map((s) => standingOf(look, view, s, problems));
  const begun = useBegunFields();
  const pressing = sections.flatMap((s, i) => standings[i]!.toSee.length > 0 || s.fields.some((f) => begun.has(f.id)) ? [i] : []);
  const [open, setOpen] = useState(() => new Set(sections.flatMap((s, i) => s.open || final && standings[i]!.digest !== "" ? [i] : [])));
  useEffect(() => setOpen((now) => new Set([...now, ...pressing])), [pressing.join()]);
  const turn = (i: number, on: boolean) => setOpen((now) => {
    const next = new Set(now);
    if (on) next.add(i);
    else next.delete(i);
    return next;
  });
  const [going, setGoing] = useState({ field: "", section: -1 });
  const show = (field: string) => {
    const section = sections.findIndex((s) => s.fields.some((f) => f.id === field));
    turn(section, true);
    setGoing({ field, section });
  };
  useEffect(() => { if (props.wanted.field) show(props.wanted.field); }, [props.wanted]);
  useEffect(() => { if (going.section >= 0) arriveAt(going.field); }, [going]);
  const next = standings.flatMap((s) => s.toSee)[0] ?? standings.flatMap((s) => s.toFill)[0];
  return (
    <>
      {sections.map((s, i) => (
        <OneSection key={s.title} {...props} section={s} standing={standings[i]!} begun={begun} open={open.has(i)} onTurn={(on) => turn(i, on)} wanted={going.field} />
      ))}
      {sections.length > 2 && <Jump sections={sections} standings={standings} next={final ? undefined : next} onSection={(i) => show(sections[i]!.fields[0]!.id)} onField={show} />}
    </>
  );
}

/** Brings a field under the eyes and the fingers, once its section is drawn, which takes a frame or two. */
function arriveAt(id: string, frames = 20): void {
  requestAnimationFrame(() => {
    const el = document.getElementById("field-" + id);
    if (!el?.getClientRects().length) return frames > 0 ? arriveAt(id, frames - 1) : undefined;
    const section = el.closest<HTMLElement>("details.section"), first = section?.querySelector(".field") === el;
    (first ? section! : el).scrollIntoView({ block: first ? "start" : "center" });
    el.querySelector<HTMLElement>("input, textarea, select, button")?.focus({ preventScroll: true });
  });
}

interface OneProps extends Omit<Props, "wanted"> {
  section: Section;
  standing: Standing;
  begun: Set<string>;
  open: boolean;
  onTurn: (open: boolean) => void;
  /** The field that is gone to. */
  wanted: string;
}

function OneSection(props: OneProps) {
  const { section, standing, open, view } = props;
  const [drawn, setDrawn] = useState(open); // a folded section costs a poor tablet nothing until it is opened
  useEffect(() => { if (open) setDrawn(true); }, [open]);
  const away = useAway(props);
  const unasked = (f: FieldKind) => !standing.toFill.includes(f) && isUnasked(view.kind, view, f, props.begun);
  const draw = (f: FieldKind) => <Field key={f.id} look={props.look} record={view.record} view={view} field={f} final={props.final} />;
  return (
    <details class={"section" + (section.fields.length === 1 && section.fields[0]!.name === section.title ? " section--alone" : "")} open={open} onToggle={(e) => props.onTurn(e.currentTarget.open)}>
      <summary>
        <h2 class="govuk-heading-m">{section.title}</h2>
        {!props.final && <Counts standing={standing} />}
        {!open && standing.digest && <span class="section__digest">{standing.digest}</span>}
      </summary>
      {(drawn || open) && section.fields.filter((f) => !away.includes(f) && !unasked(f)).map(draw)}
      {(drawn || open) && away.length > 0 && !props.final && <More fields={away} draw={draw} wanted={props.wanted} />}
    </details>
  );
}

/** The questions that are folded away: those that were when the form was opened, and that nothing has brought to the front since. */
function useAway(props: OneProps): FieldKind[] {
  const { section, standing, view } = props;
  const asked = (f: FieldKind) => standing.toSee.includes(f) || standing.toFill.includes(f);
  const [away, setAway] = useState(() => section.fields.filter((f) => isSeldom(view.kind, view, f, props.begun)));
  const still = away.filter((f) => !asked(f));
  useEffect(() => { if (still.length < away.length) setAway(still); }); // what came out stays out: a field does not move under somebody's fingers
  return still;
}

/** What a section still asks for. */
function Counts(props: { standing: Standing }) {
  const { toSee, toFill } = props.standing;
  return (
    <>
      {toSee.length > 0 && <span class="count count--see">{t("record.to_see", { n: toSee.length })}</span>}
      {toFill.length > 0 && <span class="count">{t("record.to_fill", { n: toFill.length })}</span>}
    </>
  );
}

/** Questions that are rarely asked. */
function More(props: { fields: FieldKind[]; draw: (f: FieldKind) => unknown; wanted: string }) {
  const [open, setOpen] = useState(false);
  const wanted = props.fields.some((f) => f.id === props.wanted);
  useEffect(() => { if (wanted) setOpen(true); }, [wanted]);
  return (
    <details class="more" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t("record.more")} <span class="section__digest">{props.fields.map((f) => f.name).join(", ")}</span></summary>
      {open && <>{props.fields.map(props.draw)}</>}
    </details>
  );
}

/** A way to each section, and to what is to be done next, under one thumb. */
function Jump(props: { sections: Section[]; standings: Standing[]; next: FieldKind | undefined; onSection: (i: number) => void; onField: (id: string) => void }) {
  const { next } = props;
  const list = useRef<HTMLDetailsElement>(null);
  const close = () => list.current?.removeAttribute("open");
  return (
    <nav class="jump" aria-label={t("record.sections")} onKeyDown={(e) => { if (e.key === "Escape") close(); }}>
      <details class="jump__list" ref={list}>
        <summary>{t("record.jump")}</summary>
        <ul>
          {props.sections.map((s, i) => (
            <li key={s.title}>
              <button type="button" class="plain-button" onClick={() => { close(); props.onSection(i); }}>{s.title}</button>
              <Counts standing={props.standings[i]!} />
            </li>
          ))}
        </ul>
      </details>
      {next && <button type="button" class="jump__next" onClick={() => { close(); props.onField(next.id); }}>{t("record.next", { name: next.name })}</button>}
    </nav>
  );
}
