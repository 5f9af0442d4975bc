import type { FieldKind, Kind, Problem, View } from "@doorstep/client";
import { isEmpty, valueWords, type Lookup } from "../look";
import { hints } from "./hints";
import { isNeeded } from "./needed";

/** Fields of a form under one heading. */
export interface Section {
  title: string;
  fields: FieldKind[];
  /** It is open when the form is, whatever it holds. */
  open: boolean;
}

/** A form with no more fields than this is not folded. */
const fewFields = 6;

/** The sections of a kind's form, those first that are used most. */
export function sectionsOf(kind: Kind): Section[] {
  const out: Section[] = [], hint = hints[kind.id];
  for (const f of [...kind.fields].sort((a, b) => a.order - b.order)) {
    const found = out.find((s) => s.title === f.section);
    if (found) found.fields.push(f);
    else out.push({ title: f.section, fields: [f], open: kind.fields.length <= fewFields || !hint && out.length === 0 });
  }
  const holds = (s: Section, ids: string[] | undefined) => ids?.findIndex((id) => s.fields.some((f) => f.id === id)) ?? -1;
  for (const s of out) if (holds(s, hint?.open) >= 0) s.open = true;
  const rank = (s: Section) => holds(s, hint?.first) >= 0 ? holds(s, hint?.first) : out.length;
  return [...out].sort((a, b) => rank(a) - rank(b));
}

/** What a section asks for and says, for its line while it is folded. */
export interface Standing {
  /** Fields that must be filled in before the record is final. */
  toFill: FieldKind[];
  /** Fields with something that a person must look at: two answers, a flag, an answer that cannot be. */
  toSee: FieldKind[];
  /** What it says already, in a few words. */
  digest: string;
}

/** How a section stands. Problems are what the engine finds, which knows more than a form; undefined: it was not asked yet. */
export function standingOf(look: Lookup, view: View, section: Section, problems: Problem[] | undefined): Standing {
  const of = (f: FieldKind) => problems?.filter((p) => p.field === f.id && !p.warn) ?? [];
  const unfilled = (f: FieldKind) => problems
    ? of(f).some((p) => p.check === "unfilled")
    : isNeeded(f, (id) => view.fields[id]?.value ?? null) && isEmpty(view.fields[f.id]);
  return {
    toFill: section.fields.filter(unfilled),
    toSee: section.fields.filter((f) => isOpenQuestion(view, f) || of(f).some((p) => p.check !== "unfilled")),
    digest: digestOf(look, view, section.fields),
  };
}

/** Whether people differ in a field, or one took out what another changed. */
export function isOpenQuestion(view: View, f: FieldKind): boolean {
  return view.conflicts.some((c) => c.path.field === f.id) || view.overlaps.some((o) => o.path.field === f.id)
    || view.queries.some((q) => q.path.field === f.id && !q.answeredBy) || (view.fields[f.id]?.items ?? []).some((e) => e.flagged);
}

/** Whether a question is rarely asked and holds nothing, not even words that are not kept yet. */
export function isSeldom(kind: string, view: View, f: FieldKind, begun: Set<string>): boolean {
  return (hints[kind]?.seldom ?? []).includes(f.id) && !begun.has(f.id) && isEmpty(view.fields[f.id]);
}

/** Whether a question follows from an answer that is not given, and holds nothing. */
export function isUnasked(kind: string, view: View, f: FieldKind, begun: Set<string>): boolean {
  const follows = hints[kind]?.follows?.[f.id];
  if (!follows || begun.has(f.id) || !isEmpty(view.fields[f.id]) || isOpenQuestion(view, f)) return false;
  const answer = view.fields[follows.field]?.value;
  return typeof answer !== "string" || !follows.answers.includes(answer);
}

const shortAnswer = 3, mostWords = 60, mostParts = 4;

function digestOf(look: Lookup, view: View, fields: FieldKind[]): string {
  return fields.map((f) => saidIn(look, view, f)).filter(Boolean).slice(0, mostParts).join(" · ");
}

/** A field in a few words; "" if nobody said anything. */
function saidIn(look: Lookup, view: View, f: FieldKind): string {
  const fv = view.fields[f.id];
  if (isEmpty(fv) || f.rule === "derived") return "";
  const many = fv!.items.filter((e) => e.inForce).length + fv!.slots.length;
  if (many > 0) return `${f.name}: ${many}`;
  const words = (fv!.text || valueWords(look, f, fv!.value)).trim();
  if (words.length <= shortAnswer || f.type === "time" || f.type === "date") return `${f.name}: ${words}`; // a bare "No" or "14:30" says nothing
  return words.length > mostWords ? words.slice(0, mostWords - 1).trimEnd() + "…" : words;
}
