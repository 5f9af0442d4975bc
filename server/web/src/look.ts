import { idOf, type Element, type FieldKind, type FieldView, type Kind, type Origin, type RecordID, type Value, type View } from "@doorstep/client";
import { dayWords, t, timeWords } from "./words/words";

/** The value in force of a field that is set whole; null if nobody wrote it. */
export function valueOf(v: View, field: string): Value {
  return v.fields[field]?.value ?? null;
}

export function textOf(v: View, field: string): string {
  const value = valueOf(v, field);
  return typeof value === "string" ? value : "";
}

export function refOf(v: View, field: string): string | undefined {
  return idOf(valueOf(v, field));
}

export function numberOf(v: View, field: string): number | undefined {
  const value = valueOf(v, field);
  return typeof value === "number" ? value : undefined;
}

/** The elements of a collection that count. */
export function itemsOf(v: View, field: string): Element[] {
  return (v.fields[field]?.items ?? []).filter((e) => e.inForce);
}

export function partOf(e: Element, part: string): Value {
  const f = e.fields[part];
  return f ? (f.text !== "" ? f.text : f.value) : null;
}

export function partText(e: Element, part: string): string {
  const value = partOf(e, part);
  return typeof value === "string" ? value : "";
}

export function numberIn(e: Element, part: string): number | undefined {
  const value = partOf(e, part);
  return typeof value === "number" ? value : undefined;
}

/** What the person reads in lists: how somebody is known, else their full name. */
export function personName(person: View): string {
  return textOf(person, "known_as") || textOf(person, "names") || t("record.person.missing");
}

/** A person's age in words, from a day of birth. */
export function ageWords(dob: string, now = new Date()): string {
  const born = new Date(dob + "T12:00:00");
  let months = (now.getFullYear() - born.getFullYear()) * 12 + now.getMonth() - born.getMonth();
  if (now.getDate() < born.getDate()) months--;
  return months < 24 ? t("family.months", { n: Math.max(0, months) }) : t("family.years", { n: Math.floor(months / 12) });
}

export function codeLabel(f: FieldKind | undefined, code: Value): string {
  return f?.codes.find((c) => c.code === code)?.label ?? (typeof code === "string" ? code : "");
}

/** Everything that a form or a list looks names up in. */
export interface Lookup {
  views: Map<RecordID, View>;
  kinds: Kind[];
  /** Names of colleagues, by user id, and of their tablets, by device; who is not in it is "a colleague". */
  names: Map<string, string>;
  user: string;
  /** All of the family is in views. */
  whole: boolean;
}

/** What stands for somebody or something that is not in what was read. */
export function missing(look: Lookup): string {
  return look.whole ? t("record.person.missing") : "…";
}

export function kindOf(look: Lookup, id: string): Kind | undefined {
  return look.kinds.find((k) => k.id === id);
}

export function fieldOf(kind: Kind | undefined, id: string): FieldKind | undefined {
  return kind?.fields.find((f) => f.id === id);
}

export function authorName(look: Lookup, user: string): string {
  return user === look.user ? t("name.you") : (look.names.get(user) ?? t("name.colleague"));
}

export function byLine(look: Lookup, by: Origin): string {
  return t("conflict.side", { name: authorName(look, by.author), time: timeWords(by.at) });
}

/** What a record is called in lists: its kind, whose it is, its day. */
export function recordTitle(look: Lookup, v: View): string {
  const kind = kindOf(look, v.kind);
  if (v.kind === "person") return personName(v);
  if (v.kind === "visit") {
    const type = codeLabel(fieldOf(kind, "visit_type"), valueOf(v, "visit_type"));
    return type ? `${kind?.name ?? v.kind}: ${type}` : (kind?.name ?? v.kind);
  }
  const child = refOf(v, "child") ?? refOf(v, "person");
  const name = capital(kind?.name ?? v.kind);
  const person = child ? look.views.get(child) : undefined;
  return person ? `${name}: ${personName(person)}` : name;
}

export function capital(s: string): string {
  return s.charAt(0).toUpperCase() + s.slice(1);
}

/** When a record is about: its own time if it has one, else when it was last written. */
export function recordTime(v: View): number {
  for (const f of ["start", "planned", "held_at", "returned_at", "told_at"]) {
    const n = numberOf(v, f);
    if (n !== undefined) return n;
  }
  for (const f of ["held_on", "done_on", "assessed_on", "from", "due"]) {
    const s = textOf(v, f);
    if (s) return Date.parse(s + "T12:00:00");
  }
  return Math.max(0, ...Object.values(v.fields).map((f) => f.by.at));
}

/** A value for reading; "" for none. */
export function valueWords(look: Lookup, f: FieldKind, value: Value): string {
  if (value === null || value === undefined) return "";
  switch (f.type) {
    case "code": return codeLabel(f, value);
    case "date": return typeof value === "string" ? dayWords(value) : "";
    case "time": return typeof value === "number" ? timeWords(value) : "";
    case "bool": return value === true ? t("yes") : t("no");
    case "ref": return refWords(look, f, value);
    case "hash": return "";
    case "struct": return structWords(look, f.sub, value);
    default: return String(value);
  }
}

function structWords(look: Lookup, sub: FieldKind[], value: Value): string {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) return "";
  return sub.map((s) => valueWords(look, s, value[s.id] ?? null)).filter(Boolean).join(", ");
}

function refWords(look: Lookup, f: FieldKind, value: Value): string {
  const id = idOf(value);
  if (!id) return "";
  if (f.refKind === "user") return authorName(look, id);
  const record = look.views.get(id);
  if (record) return capital(recordTitle(look, record));
  const found = elementsNamed(look, f.refKind).find((e) => e.id === id);
  return found?.words ?? missing(look);
}

/** The elements that a reference to a field's elements may mean, in the family. */
export function elementsNamed(look: Lookup, field: string): { id: string; words: string }[] {
  const out: { id: string; words: string }[] = [];
  for (const v of look.views.values()) {
    const f = fieldOf(kindOf(look, v.kind), field);
    if (!f || f.sub.length === 0) continue;
    for (const e of v.fields[field]?.items ?? []) out.push({ id: e.element, words: elementWords(look, f, e) });
  }
  return out;
}

/** An element in one line: its first parts that say something. */
export function elementWords(look: Lookup, f: FieldKind, e: Element): string {
  const said = f.sub.map((s) => valueWords(look, s, partOf(e, s.id))).filter(Boolean);
  return said.slice(0, 2).join(", ").slice(0, 120);
}

export function isEmpty(fv: FieldView | undefined): boolean {
  return !fv || (fv.value === null && fv.text === "" && fv.slots.length === 0 && fv.items.length === 0);
}
