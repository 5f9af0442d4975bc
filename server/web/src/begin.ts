import { idOf, newID, partID, refTo, type Client, type Op, type RecordID, type View } from "@doorstep/client";
import { itemsOf, kindOf, numberOf, partOf, refOf, textOf, type Lookup } from "./look";

/** Statuses that set the type of a visit, the most telling first. */
const typeOfStatus: [string, string][] = [["CP", "CP"], ["CLA", "CLA"], ["S47", "S47"], ["CIN", "CIN"], ["ASSESS", "ASSESS"], ["CL", "CARELEAVER"],
  ["YJ", "YJ"], ["EH", "EARLYHELP"], ["DISAB", "DISAB_SB"]];

/** What a role is on a visit, where the role says it. */
const professionOf: { [role: string]: string } = {
  social_worker: "SW", fit_specialist: "FIT", clinician: "CLIN", met_worker: "MET", volunteer: "VOL", coordinator: "COORD", manager: "MANAGER", edt: "EDT_SW",
};

/** The children of a family: whom a status is about, else whoever the council has a child's number or a late birth for. */
export function childrenOf(look: Lookup): View[] {
  const about = new Set([...look.views.values()].filter((v) => v.kind === "status" && !textOf(v, "to")).map((v) => refOf(v, "child")));
  const people = [...look.views.values()].filter((v) => v.kind === "person");
  const years18 = new Date();
  years18.setFullYear(years18.getFullYear() - 18);
  const young = (v: View) => textOf(v, "la_child_id") !== "" || textOf(v, "dob") > years18.toISOString().slice(0, 10);
  return people.filter((v) => about.has(v.record) || young(v)).sort((a, b) => textOf(a, "dob").localeCompare(textOf(b, "dob")));
}

/** The type that a visit most likely has, from the children's statuses. */
export function likelyVisitType(look: Lookup): string {
  const now = new Set([...look.views.values()].filter((v) => v.kind === "status" && !textOf(v, "to")).map((v) => textOf(v, "kind")));
  return typeOfStatus.find(([status]) => now.has(status))?.[1] ?? "CIN";
}

/**
 * Begins a visit now, or plans it: the household's part with what is known already, and
 * a part for each child. What the worker must attest stays open.
 */
export async function beginVisit(client: Client, look: Lookup, family: string, type: string, role: string, planned?: number): Promise<RecordID> {
  const visit = newID();
  const ops: Op[] = [
    { op: "set", path: { field: "visit_type" }, value: type },
    ...(planned === undefined ? started() : [{ op: "set", path: { field: "planned" }, value: planned } satisfies Op]),
    worker(look, role),
  ];
  await client.edit({ record: visit, family, kind: "visit", ops });
  for (const child of childrenOf(look)) {
    await client.edit({
      record: await partID(visit, child.record), family, kind: "visit_child",
      ops: [{ op: "set", path: { field: "visit" }, value: refTo(visit) }, { op: "set", path: { field: "child" }, value: refTo(child.record) }],
    });
  }
  return visit;
}

/** Begins a visit that was planned. */
export async function startPlanned(client: Client, look: Lookup, visit: View, role: string): Promise<RecordID> {
  const there = itemsOf(visit, "workers").some((e) => idOf(partOf(e, "worker")) === look.user);
  await client.edit({ record: visit.record, ops: [...started(), ...(there ? [] : [worker(look, role)])] });
  return visit.record;
}

/** Visits of a family that are planned, and that nobody has begun. */
export function plannedVisits(look: Lookup): View[] {
  return [...look.views.values()].filter((v) => v.kind === "visit" && !v.seal && numberOf(v, "start") === undefined && (numberOf(v, "planned") ?? 0) > 0);
}

function started(): Op[] {
  return [
    { op: "set", path: { field: "start" }, value: Math.floor(Date.now() / 60_000) * 60_000 },
    { op: "set", path: { field: "contact_mode" }, value: "IN_PERSON" },
  ];
}

function worker(look: Lookup, role: string): Op {
  const profession = professionOf[role];
  return { op: "add", path: { field: "workers", element: newID() }, value: { worker: refTo(look.user), ...(profession ? { role: profession } : {}) } };
}

/**
 * Begins any other record, with what its fields can be told already, and returns where its
 * form is. Of some kinds nothing can be said yet: their first entry begins them.
 */
export async function beginRecord(client: Client, look: Lookup, family: string, kindID: string): Promise<string[]> {
  const kind = kindOf(look, kindID)!;
  const ops: Op[] = [];
  const children = childrenOf(look), only = children.length === 1 ? children[0] : undefined;
  for (const f of kind.fields) {
    if (f.type === "date" && ["held_on", "done_on", "assessed_on"].includes(f.id)) ops.push({ op: "set", path: { field: f.id }, value: today() });
    if (f.id === "child" && f.type === "ref" && only) ops.push({ op: "set", path: { field: "child" }, value: refTo(only.record) });
    if (f.id === "supervisee") ops.push({ op: "set", path: { field: f.id }, value: refTo(family) }); // a worker's own file has the worker's id
    if (f.id === "children" && f.rule === "union") {
      for (const c of children) ops.push({ op: "add", path: { field: "children", element: newID() }, value: { child: refTo(c.record) } });
    }
    if (f.id === "status" && kindID === "action") ops.push({ op: "set", path: { field: "status" }, value: "OPEN" });
    if (f.id === "status" && kindID === "plan") ops.push({ op: "set", path: { field: "status" }, value: "DRAFT" });
    if (f.id === "state" && kindID === "missing_episode") ops.push({ op: "set", path: { field: "state" }, value: "OPEN" });
  }
  if (ops.length === 0) ops.push(...firstWord(kind.fields));
  if (ops.length === 0) return ["begin", await unbegun(client, look, family, kindID), kindID, family];
  const record = newID();
  await client.edit({ record, family, kind: kindID, ops });
  return ["record", record];
}

/** A record begins with a change; where nothing is known yet, the time it was begun, or an answer that is open. */
function firstWord(fields: { id: string; type: string; rule: string }[]): Op[] {
  const time = fields.find((f) => f.type === "time" && f.rule === "human");
  if (time) return [{ op: "set", path: { field: time.id }, value: Date.now() }];
  const open = fields.find((f) => f.rule === "human" && f.type !== "struct");
  return open ? [{ op: "set", path: { field: open.id }, value: null }] : [];
}

/** The id of a record that its first entry will begin: the same until then, so that words in its form are found again. */
async function unbegun(client: Client, look: Lookup, family: string, kind: string): Promise<RecordID> {
  const name = `begun ${family} ${kind}`, before = await client.recall<RecordID>(name);
  if (before && !look.views.has(before)) return before;
  const record = newID();
  await client.remember(name, record);
  return record;
}

/** A record as it is before anything is said of it. */
export function emptyView(record: RecordID, kind: string, family: string): View {
  return { record, kind, family, schemaVersion: 0, heads: [], fields: {}, conflicts: [], overlaps: [], confirmed: [], queries: [], typedUp: [], addenda: [], roots: [], noOps: 0, held: [] };
}

function today(): string {
  const d = new Date(), two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** Kinds that somebody may begin from a family's page; the server has the last word. */
export function beginnable(look: Lookup, role: string): { id: string; name: string }[] {
  return (byRole[role || "practitioner"] ?? []).map((id) => kindOf(look, id)).filter((k) => k !== undefined);
}

/** Whether a role visits families that are on the tablet. */
export function mayVisit(role: string): boolean {
  return ["social_worker", "practitioner", ""].includes(role); // "": nobody signed in since the tablet was opened
}

/**
 * What a role is offered in a family that is on the tablet, what is used most first: all that the server's
 * table lets it begin there, but for visits, which have a button of their own. What is begun in
 * a file that no tablet carries the server tells.
 */
const direct = ["plan", "mapping", "child_tool", "action", "motivational", "parenting", "disclosure"];
const met = ["missing_episode", "return_interview", "exploitation", "nrm_referral"];
const consult = ["consultation", "systemic"];
const byRole: { [role: string]: string[] } = {
  social_worker: [...direct, ...met, ...consult], practitioner: [...direct, ...met, ...consult],
  clinician: consult,
  fit_specialist: ["fit_session", "disclosure"],
  met_worker: [...met, "intelligence"],
  volunteer: ["volunteer_log", "volunteer_concern"],
  volunteer_coordinator: ["volunteer_match", "volunteer_concern"],
  manager: ["supervision", "reflective_group"],
};
