import { idOf, type Element, type View } from "@doorstep/client";
import { childrenOf } from "./begin";
import { itemsOf, partOf, partText, personName, textOf, type Lookup } from "./look";

/** The lists of a record whose entries are for what it said when they were made. */
export const versioned = ["signatures", "shares"] as const;
export type Versioned = (typeof versioned)[number];

/** Somebody whom a plan concerns, and the parts of an entry that are known of them. */
export interface Concerned {
  name: string;
  /** What they are in a signature. */
  capacity: "CHILD" | "PARENT" | "NETWORK";
  /** To be asked, and given a copy: not who poses a risk to a child, and small children only where it makes sense. */
  owed: boolean;
  language: string;
}

/** One of them, with what is written down about the plan as it stands, or about what it said before. */
export interface Answered {
  who: Concerned;
  entry: Element | undefined;
  earlier: boolean;
}

/** Whom a plan concerns: its children, their parents and carers, and the people who help. */
export function concernedBy(look: Lookup, plan: View): Concerned[] {
  const about = new Set(itemsOf(plan, "children").map((e) => idOf(partOf(e, "child"))));
  const children = childrenOf(look).filter((c) => about.size === 0 || about.has(c.record));
  const network = itemsOf(plan, "network");
  const poses = (person: View) => network.some((e) => partText(e, "poses_risk") === "Y" && idOf(partOf(e, "person")) === person.record);
  const one = (p: View, capacity: Concerned["capacity"]): Concerned => ({ name: personName(p), capacity, owed: capacity !== "CHILD" && !poses(p), language: textOf(p, "language") });
  const out = [...parentsOf(look, children).map((p) => one(p, "PARENT")), ...children.map((c) => one(c, "CHILD"))];
  for (const e of network) {
    const person = look.views.get(idOf(partOf(e, "person")) ?? "");
    const name = person ? personName(person) : partText(e, "name");
    if (name && !out.some((o) => same(o.name, name))) {
      out.push({ name, capacity: "NETWORK", owed: partText(e, "poses_risk") !== "Y", language: person ? textOf(person, "language") : "" });
    }
  }
  return out;
}

function parentsOf(look: Lookup, children: View[]): View[] {
  const sheet = [...look.views.values()].find((v) => v.kind === "family");
  if (!sheet) return [];
  const found = new Set<string>();
  for (const e of itemsOf(sheet, "relationship")) {
    const a = idOf(partOf(e, "a")), b = idOf(partOf(e, "b"));
    if (a && ["PARENT", "CARER"].includes(partText(e, "type")) && children.some((c) => c.record === b)) found.add(a);
  }
  return [...found].map((id) => look.views.get(id)).filter((v): v is View => v !== undefined).sort((a, b) => textOf(a, "dob").localeCompare(textOf(b, "dob")));
}

/** What is written down of each in one of the lists; content is the hash of what the plan says now. */
export function answersOf(look: Lookup, plan: View, field: Versioned, content: string): Answered[] {
  const entries = itemsOf(plan, field), nameIn = field === "signatures" ? "signer" : "recipient";
  const people = concernedBy(look, plan);
  const others = entries.filter((e) => !people.some((p) => same(p.name, partText(e, nameIn))));
  const extra = [...new Set(others.map((e) => partText(e, nameIn)))].map((name): Concerned => ({ name, capacity: "NETWORK", owed: false, language: "" }));
  return [...people, ...extra].map((who) => {
    const theirs = entries.filter((e) => same(partText(e, nameIn), who.name));
    const now = theirs.filter((e) => isFor(e, content)).at(-1);
    return { who, entry: now ?? theirs.at(-1), earlier: !now && theirs.length > 0 };
  });
}

/** Who has still to be asked about the plan as it stands, or given a copy. */
export function owed(answers: Answered[]): Answered[] {
  return answers.filter((a) => a.who.owed && (!a.entry || a.earlier));
}

/** Whether an entry is for what the plan says now; what was withheld with a reason is so whatever it says. */
export function isFor(e: Element, content: string): boolean {
  const hash = partOf(e, "version_hash");
  return partText(e, "withheld_reason") !== "" || hash instanceof Uint8Array && hex(hash) === content;
}

function same(a: string, b: string): boolean {
  return a.trim().toLocaleLowerCase() === b.trim().toLocaleLowerCase();
}

export function hex(b: Uint8Array): string {
  return [...b].map((n) => n.toString(16).padStart(2, "0")).join("");
}

/** Whether two people disagree about something that a signature is for. */
export function disputed(view: View): boolean {
  return view.conflicts.some((c) => c.rule !== "own");
}

/** A family's safety plans that count. */
export function plansInForce(look: Lookup): View[] {
  return [...look.views.values()].filter((v) => v.kind === "plan" && ["ACTIVE", "UNDER_REVIEW"].includes(textOf(v, "status")));
}
