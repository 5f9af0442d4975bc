/** The engine's answers as the values that a page sees. */
import { decode } from "../cbor";
import { toHex } from "../ids";
import type {
  Addendum, Attribution, Capture, Code, Condition, Conflict, Element, Family, FieldKind, FieldType, FieldView, Format, Kind, Label, Mark,
  MergeRule, Origin, Outbox, Overlap, Path, Problem, Query, RecordHeads, RecordSummary, SlotOf, Standing, Status, Value, View,
} from "../types";

type L = Value[];
const id = (v: Value | undefined): string => toHex(v as Uint8Array);
const list = <T>(v: Value | undefined, one: (v: L) => T): T[] => (v as L).map((x) => one(x as L));
const ids = (v: Value | undefined): string[] => (v as L).map(id);
const num = (v: Value | undefined): number => v as number;
const str = (v: Value | undefined): string => v as string;
const yes = (v: Value | undefined): boolean => v as boolean;
const opt = <T>(v: Value | undefined, one: (v: L) => T): T | undefined => (v === null ? undefined : one(v as L));

export const captures: Capture[] = ["typed", "dictated", "transcribed", "pen", "imported"];
const zero = "0".repeat(32);

/** A view from its encoding (SPEC 5.10). */
export function viewOf(bytes: Value): View {
  const v = decode(bytes as Uint8Array, true) as L;
  const flow = v[8] as L;
  return {
    record: id(v[0]), family: id(v[1]), kind: str(v[2]), schemaVersion: num(v[3]), heads: ids(v[4]),
    fields: fieldsOf(v[5]!), conflicts: list(v[6], conflictOf), overlaps: list(v[7], overlapOf),
    handedOver: opt(flow[0], originOf),
    confirmed: list(flow[1], (c) => ({ by: originOf(c[0] as L), heads: ids(c[1]), stands: yes(c[2]), ...(c.length > 3 ? { for: id(c[3]), reason: str(c[4]) } : {}) })),
    queries: list(flow[2], queryOf),
    typedUp: flow.length > 3 ? list(flow[3], (t) => ({ by: originOf(t[0] as L), for: id(t[1]), source: str(t[2]) })) : [],
    seal: opt(v[9], (s) => ({
      position: num(s[0]), by: id(s[1]), at: num(s[2]), heads: ids(s[3]), hash: id(s[4]), prevHash: id(s[5]), group: list(s[6], headsOf),
    })),
    addenda: list(v[10], addendumOf), roots: ids(v[11]), noOps: num(v[12]), held: ids(v[13]),
  };
}

function fieldsOf(v: Value): { [field: string]: FieldView } {
  const out: { [field: string]: FieldView } = {};
  for (const f of v as L[]) out[str(f[0])] = fieldOf(f);
  return out;
}

function fieldOf(f: L): FieldView {
  return {
    field: str(f[0]), value: f[1]!, text: str(f[2]),
    slots: list(f[3], (s) => ({ slot: id(s[0]), value: s[1]!, text: str(s[2]), by: originOf(s[3] as L) })),
    items: list(f[4], elementOf), set: yes(f[5]), by: originOf(f[6] as L),
  };
}

function elementOf(e: L): Element {
  return {
    element: id(e[0]), by: originOf(e[1] as L), fields: fieldsOf(e[2]!),
    removed: opt(e[3], (r) => ({ by: originOf(r[0] as L), reason: str(r[1]), confirmed: yes(r[2]) })),
    inForce: yes(e[4]), flagged: yes(e[5]),
  };
}

function originOf(o: L): Origin {
  return { change: id(o[0]), author: id(o[1]), actor: id(o[2]), at: num(o[3]), capture: captures[num(o[4])] ?? "typed" };
}

/** A path as SPEC 3.6 writes it: one to three members; at the binding always three. */
function pathOf(p: L): Path {
  const out: Path = { field: str(p[0] ?? "") };
  if (p[1] && id(p[1]) !== zero) out.element = id(p[1]);
  if (p[2]) out.sub = str(p[2]);
  return out;
}

function conflictOf(c: L): Conflict {
  return {
    path: pathOf(c[0] as L), rule: str(c[1]), sides: list(c[2], (s) => ({ value: s[0]!, by: originOf(s[1] as L) })),
    base: c[3]!, inForce: c[4]!,
  };
}

function overlapOf(o: L): Overlap {
  return {
    path: pathOf(o[0] as L),
    spans: list(o[1], (s) => ({ start: num(s[0]), end: num(s[1]), changes: ids(s[2]), authors: ids(s[3]) })),
  };
}

function queryOf(q: L): Query {
  return {
    id: id(q[0]), path: pathOf(q[1] as L), to: id(q[2]), by: originOf(q[3] as L), question: str(q[4]), answer: str(q[5]),
    answeredBy: opt(q[6], originOf),
  };
}

function headsOf(h: L): RecordHeads { return { record: id(h[0]), heads: ids(h[1]) }; }

function addendumOf(a: L): Addendum {
  return { by: originOf(a[0] as L), text: str(a[1]), at: num(a[2]), reason: str(a[3]), late: yes(a[4]), steps: (a[5] as L).length };
}

/** Who wrote what from its encoding (SPEC 5.13), with the device of each source beside it. */
export function attributionOf(v: Value, here: string): Attribution {
  const [bytes, of] = v as L, [record, heads, sources, texts] = decode(bytes as Uint8Array, true) as L, devices = ids(of);
  return {
    record: id(record), heads: ids(heads),
    sources: (sources as L[]).map((s, i) => ({
      ...originOf(s[0] as L), seq: num(s[1]), offsetMin: num(s[2]), monotonicMS: num(s[3]), device: devices[i]!, here: devices[i] === here,
    })),
    texts: list(texts, (x) => ({
      path: pathOf(x[0] as L), text: str(x[1]),
      spans: list(x[2], (s) => ({ start: num(s[0]), end: num(s[1]), by: num(s[2]) })),
      deleted: list(x[3], (d) => ({ at: num(d[0]), text: str(d[1]), by: num(d[2]), deletedBy: d[3] as number[] })),
    })),
  };
}

const states = ["none", "only_here", "received", "seen"] as const;
const fates = ["unanswered", "accepted", "held", "quarantined", "late", "refused"] as const;

export function statusOf(v: Value): Status {
  const s = v as L;
  return { state: states[num(s[0])]!, draft: yes(s[1]), unsent: num(s[2]), marks: marksOf(s[3]!), closed: yes(s[4]) };
}

export function marksOf(v: Value): Mark[] {
  return list(v, (m) => ({
    change: id(m[0]), actor: id(m[1]), seq: num(m[2]), family: id(m[3]), record: id(m[4]), fate: fates[num(m[5])] ?? "refused",
    code: str(m[7]), plain: str(m[8]), reoffered: yes(m[9]), here: yes(m[10]),
  }));
}

export function outboxOf(v: Value): Outbox {
  const [changes, bytes, drafts, oldest] = v as number[];
  return { changes: changes!, bytes: bytes!, drafts: drafts!, oldest: oldest! };
}

const standings: Standing[] = ["unknown", "granted", "leaving", "closed"];

export function familiesOf(v: Value): Family[] {
  return list(v, (f) => ({ family: id(f[0]), standing: standings[num(f[1])] ?? "unknown", basis: str(f[2]), readable: yes(f[3]) }));
}

export function recordsOf(v: Value, family: string): RecordSummary[] {
  return list(v, (r) => ({ record: id(r[0]), family, kind: str(r[1]), status: statusOf(r[2]!) }));
}

export function problemsOf(v: Value): Problem[] {
  return list(v, (p) => ({ field: str(p[0]), element: num(p[1]), part: str(p[2]), check: str(p[3]), plain: str(p[4]), warn: yes(p[5]) }));
}

export function idsOf(v: Value): string[] { return ids(v); }

const types: FieldType[] = ["bool", "bool", "int", "line", "prose", "code", "time", "date", "ref", "struct", "hash"];
const formats: Format[] = ["any", "upn", "nhs", "la_child_id", "language"];
const slots: SlotOf[] = ["none", "author", "person", "free"];
const tests: Condition["test"][] = [
  "one_of", "answered", "unanswered", "not_before", "within", "differs", "at_least", "at_most", "none_of", "any_of",
];

export function kindsOf(v: Value): Kind[] {
  return list(v, (k) => ({
    id: str(k[0]), version: num(k[1]), name: str(k[2]), fields: list(k[3], fieldKindOf), needsConfirmation: yes(k[4]),
    finalises: yes(k[5]), part: str(k[6]),
  }));
}

function fieldKindOf(f: L): FieldKind {
  const codes: Code[] = [];
  const flat = f[4] as string[];
  for (let i = 0; i + 1 < flat.length; i += 2) codes.push({ code: flat[i]!, label: flat[i + 1]! });
  return {
    id: str(f[0]), rule: str(f[1]) as MergeRule, label: str(f[2]) as Label, type: types[num(f[3])]!, codes, sub: list(f[5], fieldKindOf),
    keepRemoved: yes(f[6]), managerApproves: yes(f[7]), prepared: yes(f[8]), slotOf: slots[num(f[9])]!, required: yes(f[10]),
    requiredIf: list(f[11], conditionOf), min: num(f[12]), max: num(f[13]), format: formats[num(f[14])]!, refKind: str(f[15]),
    name: str(f[16]), help: str(f[17]), section: str(f[18]), order: num(f[19]), long: yes(f[20]),
  };
}

function conditionOf(c: L): Condition {
  return {
    field: str(c[0]), test: tests[num(c[1])]!, values: c[2] as L, other: str(c[3]), limit: num(c[4]), where: list(c[5], conditionOf),
  };
}

