/**
 * The values of Doorstep as a page sees them. Ids are lower-case hexadecimal:
 * 32 digits, 64 for a change. Times are Unix milliseconds UTC.
 */

export type FamilyID = string;
export type RecordID = string;
export type UserID = string;
export type DeviceID = string;
export type ActorID = string;
export type ElementID = string;
/** A change's id: SHA-256 of what it was built on and what it says. */
export type ChangeID = string;

/**
 * A field's value. A reference to a record, person or element is 16 bytes, a
 * hash 32: use `idOf` and `refTo`. Numbers are integers.
 */
export type Value = null | boolean | number | string | Uint8Array | Value[] | { [key: string]: Value };

/** Leads to a field, to an element or slot of it, or to a part of that. */
export interface Path {
  field: string;
  element?: ElementID;
  sub?: string;
}

/** How words came to be. What a machine transcribed is never final unreviewed. */
export type Capture = "typed" | "dictated" | "transcribed" | "pen" | "imported";

/** Removes `del` code points at `pos` and inserts `ins` there. */
export interface Splice {
  pos: number;
  del: number;
  ins: string;
}

/** Names a version of a record: the changes that have no successor in it. */
export interface RecordHeads {
  record: RecordID;
  heads: ChangeID[];
}

/** One step of a change (SPEC 3.6). */
export type Op =
  | { op: "set"; path: Path; value: Value }
  | { op: "splice"; path: Path; splices: Splice[] }
  /** Adds an element under a fresh id (`newID`); value maps its parts. */
  | { op: "add"; path: Path; value: { [part: string]: Value } }
  | { op: "remove"; path: Path; reason: string }
  /** Settles a disagreement; value is what holds from now on. */
  | { op: "decide"; path: Path; value: Value; reason: string }
  | { op: "hand_over"; to?: UserID }
  /** Confirms, as the author, that these versions are right. Save first. */
  | { op: "confirm"; heads: RecordHeads[] }
  | { op: "query"; text: string; path?: Path; to?: UserID }
  | { op: "answer"; text: string; query: ChangeID }
  | { op: "addendum"; text: string; reason?: string; at?: number }
  | { op: "correct"; path: Path; value: Value; old: Value; reason: string };

/** A step that a person took on a record. Family and kind are needed to begin one. */
export interface Edit {
  record: RecordID;
  family?: FamilyID;
  kind?: string;
  ops: Op[];
  capture?: Capture;
  /** The name of the sketch that it carries out, which goes with it. */
  sketch?: string;
}

/** What a form that is being filled in would say: not a change yet, but on the disk. */
export interface Sketch {
  /** Tells it from others of the record. */
  name: string;
  record: RecordID;
  family: FamilyID;
  kind: string;
  ops: Op[];
  capture?: Capture;
}

/** Says who wrote a value, when by their own clock, and how. */
export interface Origin {
  change: ChangeID;
  author: UserID;
  actor: ActorID;
  at: number;
  capture: Capture;
}

/** One person's part of an `own` field. */
export interface Slot {
  slot: ElementID;
  value: Value;
  text: string;
  by: Origin;
}

/** One member of a collection. */
export interface Element {
  element: ElementID;
  by: Origin;
  fields: { [part: string]: FieldView };
  /** A removal that somebody wrote; `inForce` says whether it counts. */
  removed?: { by: Origin; reason: string; confirmed: boolean };
  inForce: boolean;
  /** Removed by one person while another edited it. */
  flagged: boolean;
}

/** One field's folded state. Which part is used depends on its merge rule. */
export interface FieldView {
  field: string;
  /** The value in force of a field that is set whole. */
  value: Value;
  /** The words of a merged text. */
  text: string;
  slots: Slot[];
  items: Element[];
  /** False when nobody has written the field. */
  set: boolean;
  by: Origin;
}

/** A disagreement that a person must decide. */
export interface Conflict {
  path: Path;
  rule: string;
  /** Two or more, in an order that is the same everywhere. */
  sides: { value: Value; by: Origin }[];
  /** The last value before the sides parted. */
  base: Value;
  /** What counts meanwhile: the most protective value, or null. */
  inForce: Value;
}

/** A text that people edited apart where it matters, and nobody has read since. */
export interface Overlap {
  path: Path;
  /** In code points of the text as shown, end excluded. */
  spans: { start: number; end: number; changes: ChangeID[]; authors: UserID[] }[];
}

/** A coordinator's question; it is open until answered. */
export interface Query {
  id: ChangeID;
  path: Path;
  to: UserID;
  by: Origin;
  question: string;
  answer: string;
  answeredBy?: Origin;
}

/** What was added to a final record. */
export interface Addendum {
  by: Origin;
  text: string;
  /** When it happened, if said; else 0. */
  at: number;
  reason: string;
  /** An edit that came after the seal, kept as proposed. */
  late: boolean;
  /** How many steps a late edit has. */
  steps: number;
}

/** What a person sees of a record; the same on every device and on the server. */
export interface View {
  record: RecordID;
  family: FamilyID;
  kind: string;
  schemaVersion: number;
  heads: ChangeID[];
  fields: { [field: string]: FieldView };
  conflicts: Conflict[];
  overlaps: Overlap[];
  handedOver?: Origin;
  /** `stands` is false once anything but administrative fields changed after it. */
  confirmed: { by: Origin; heads: ChangeID[]; stands: boolean; /** In whose place, who has left, and why. */ for?: UserID; reason?: string }[];
  queries: Query[];
  /** Whose words somebody typed up in it for them, and from what: they confirm it. */
  typedUp: { by: Origin; for: UserID; source: string }[];
  /** The final version, if the record was sealed. */
  seal?: { position: number; by: UserID; at: number; heads: ChangeID[]; hash: string; prevHash: string; group: RecordHeads[] };
  addenda: Addendum[];
  /** More than one: the record was begun twice. */
  roots: ChangeID[];
  noOps: number;
  /** Stored and not shown: written by a newer app. */
  held: ChangeID[];
}

/** A change that texts refer to. */
export interface Source extends Origin {
  seq: number;
  offsetMin: number;
  monotonicMS: number;
  /** The device that it was made on, this one where `here`; zeroes: not known. */
  device: DeviceID;
  here: boolean;
}

/** Who wrote which words of a record's texts, and who deleted what. */
export interface Attribution {
  record: RecordID;
  heads: ChangeID[];
  sources: Source[];
  texts: {
    path: Path;
    text: string;
    /** In code points; `by` is an index among the sources. */
    spans: { start: number; end: number; by: number }[];
    deleted: { at: number; text: string; by: number; deletedBy: number[] }[];
  }[];
}

/**
 * Where this person's own words in a record have got to. `only_here`: some are
 * on this device alone. `received`: the server has all of them. `seen`: and
 * somebody else wrote with knowledge of the last. `none`: they wrote nothing.
 */
export type Whereabouts = "none" | "only_here" | "received" | "seen";

/** What became of a change that did not simply become part of its record. */
export type Fate = "unanswered" | "accepted" | "held" | "quarantined" | "late" | "refused";

/** A reason by its short name (SPEC 11) and in words for the person concerned. */
export interface Reason {
  code: string;
  plain: string;
}

/** An own change that did not simply become part of its record. */
export interface Mark extends Reason {
  change: ChangeID;
  actor: ActorID;
  seq: number;
  family: FamilyID;
  record: RecordID;
  fate: Fate;
  /** Its words were offered anew. */
  reoffered: boolean;
  /** Its content is on this device and can be exported. */
  here: boolean;
}

/** What a person is told about their words in a record. */
export interface Status {
  state: Whereabouts;
  /** There is typing that is not a change yet; it is on this device's disk. */
  draft: boolean;
  /** Changes that the server has not answered. */
  unsent: number;
  marks: Mark[];
  /** The family may no longer be read here. */
  closed: boolean;
}

/** What has not reached the server. */
export interface Outbox {
  changes: number;
  bytes: number;
  drafts: number;
  /** Device time of the oldest such change, or 0. */
  oldest: number;
}

/** What the server last said about access to a family. */
export type Standing = "unknown" | "granted" | "leaving" | "closed";

/** A family that this device holds something of. */
export interface Family {
  family: FamilyID;
  standing: Standing;
  basis: string;
  readable: boolean;
}

/** A record that has content here. */
export interface RecordSummary {
  record: RecordID;
  family: FamilyID;
  /** Empty if it cannot be read yet. */
  kind: string;
  status: Status;
}

/** Something that keeps a record from being sealed, or is worth a question. */
export interface Problem {
  field: string;
  /** The element's place in the list, or -1. */
  element: number;
  part: string;
  /** The id of the check that failed; "unfilled" for a missing answer. */
  check: string;
  /** What the worker reads. */
  plain: string;
  /** Said, but stops nothing. */
  warn: boolean;
}

export type MergeRule = "own" | "log" | "union" | "text" | "human" | "protect" | "latest" | "server" | "derived";
export type Label = "admin" | "attested" | "verbatim" | "judgement";
export type FieldType = "bool" | "int" | "line" | "prose" | "code" | "time" | "date" | "ref" | "struct" | "hash";
export type Format = "any" | "upn" | "nhs" | "la_child_id" | "language";
export type SlotOf = "none" | "author" | "person" | "free";

/** One member of a code set, with the words a person sees. */
export interface Code {
  code: string;
  label: string;
}

/** One question about a record; see the schema's page. */
export interface Condition {
  field: string;
  test: "one_of" | "answered" | "unanswered" | "not_before" | "within" | "differs" | "at_least" | "at_most" | "none_of" | "any_of";
  values: Value[];
  other: string;
  limit: number;
  where: Condition[];
}

/** One field, or one part of a collection's elements. */
export interface FieldKind {
  id: string;
  rule: MergeRule;
  label: Label;
  type: FieldType;
  codes: Code[];
  sub: FieldKind[];
  keepRemoved: boolean;
  managerApproves: boolean;
  prepared: boolean;
  slotOf: SlotOf;
  required: boolean;
  requiredIf: Condition[];
  min: number;
  max: number;
  format: Format;
  /** Of a reference: a kind's id, "user", or a field's id for its elements. */
  refKind: string;
  /** What the person reads. */
  name: string;
  help: string;
  section: string;
  order: number;
  /** Offer several lines. */
  long: boolean;
}

/** One record kind, from which a form can be drawn. */
export interface Kind {
  id: string;
  version: number;
  name: string;
  fields: FieldKind[];
  needsConfirmation: boolean;
  finalises: boolean;
  /** The field that binds a record to the one it is sealed with; empty: none. */
  part: string;
}
