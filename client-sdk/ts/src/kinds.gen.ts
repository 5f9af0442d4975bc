// Written by `go test ./client-sdk/ts/bundle -update` from package schema. Do not edit.

/** The record kinds that this build knows. */
export type KindID =
  | "family"
  | "person"
  | "allocation"
  | "status"
  | "visit"
  | "visit_child"
  | "plan"
  | "action";

/** What the fields of each kind hold. A reference is 16 bytes: see `refTo`. */
export interface KindFields {
  family: FamilyFields;
  person: PersonFields;
  allocation: AllocationFields;
  status: StatusFields;
  visit: VisitFields;
  visit_child: VisitChildFields;
  plan: PlanFields;
  action: ActionFields;
}

/** Family, version 1. */
export interface FamilyFields {
  /** Family name (latest). */
  name: string;
  /** Family reference (server). */
  reference: string;
  /** Team (server). */
  team: string;
  /** Who is who (union). */
  relationship: { [element: string]: {
    /** Person (human). */
    a: Uint8Array;
    /** Other person (human). */
    b: Uint8Array;
    /** Relationship (human). */
    type: "PARENT" | "STEP_PARENT" | "CARER" | "SIBLING" | "HALF_SIBLING" | "GRANDPARENT" | "AUNT_UNCLE" | "PARTNER" | "EX_PARTNER" | "OTHER_RELATIVE" | "FRIEND" | "PROFESSIONAL" | "OTHER";
    /** From (human). */
    from: string;
    /** Until (human). */
    to: string;
    /** Who told us (human). */
    source: string;
  } };
  /** How each person sees a relationship (own). */
  relationship_quality: { [slot: string]: {
    /** Relationship (own). */
    relationship: Uint8Array;
    /** Who sees it so (own). */
    seen_by: string;
    /** How they see it (own). */
    quality: "CLOSE" | "GOOD" | "MIXED" | "DISTANT" | "CONFLICT" | "BROKEN" | "FEARED";
    /** In their words (own). */
    why: string;
  } };
}

/** Person, version 1. */
export interface PersonFields {
  /** Full name (human). */
  names: string;
  /** Known as (latest). */
  known_as: string;
  /** Pronouns (human). */
  pronouns: string;
  /** Date of birth (human). */
  dob: string;
  /** Expected date of birth (human). */
  expected_dob: string;
  /** Sex (human). */
  sex: "F" | "M" | "U";
  /** Ethnicity (human). */
  ethnicity: "WBRI" | "WIRI" | "WOTH" | "WIRT" | "WROM" | "MWBC" | "MWBA" | "MWAS" | "MOTH" | "AIND" | "APKN" | "ABAN" | "AOTH" | "BCRB" | "BAFR" | "BOTH" | "CHNE" | "OOTH" | "REFU" | "NOBT";
  /** Disability (union). */
  disability: { [element: string]: {
    /** Disability (human). */
    code: "NONE" | "MOB" | "HAND" | "PC" | "INC" | "COMM" | "LD" | "HEAR" | "VIS" | "BEH" | "CON" | "AUT" | "DDA";
  } };
  /** Council's child number (server). */
  la_child_id: string;
  /** Unique pupil number (server). */
  upn: string;
  /** NHS number (server). */
  nhs_no: string;
  /** Addresses (union). */
  address: { [element: string]: {
    /** Address (human). */
    text: string;
    /** From (human). */
    from: string;
    /** Until (human). */
    to: string;
    /** Confidential (protect). */
    confidential: "Y" | "N";
  } };
  /** Placements (union). */
  placement: { [element: string]: {
    /** Placement (human). */
    text: string;
    /** From (human). */
    from: string;
    /** Until (human). */
    to: string;
    /** Confidential (protect). */
    confidential: "Y" | "N";
  } };
  /** Phone numbers (union). */
  phone: { [element: string]: {
    /** Phone number (human). */
    text: string;
    /** From (human). */
    from: string;
    /** Until (human). */
    to: string;
    /** Confidential (protect). */
    confidential: "Y" | "N";
  } };
  /** Risks to know before a visit (union). */
  hazard: { [element: string]: {
    /** Risk (human). */
    code: "VIOLENCE" | "WEAPON" | "ANIMAL" | "RISK_PERSON" | "INFECTION" | "PREMISES" | "TWO_WORKERS" | "OTHER";
    /** What to know (human). */
    text: string;
    /** Review by (human). */
    review_date: string;
  } };
  /** Communicates by (latest). */
  communication: "SPEECH" | "BSL" | "MAKATON" | "PICTURES" | "DEVICE" | "WRITING" | "OTHER";
  /** First language (latest). */
  language: string;
  /** Interpreter (latest). */
  interpreter: "NONE" | "SPOKEN" | "SIGN";
}

/** Allocation, version 1. */
export interface AllocationFields {
  /** Worker (server). */
  worker: Uint8Array;
  /** Team (server). */
  team: string;
  /** Role (server). */
  role: "LEAD" | "CO" | "COORD" | "CLIN" | "FIT" | "VOL" | "MET" | "CHAIR" | "IRO" | "PA" | "EDT";
  /** From (server). */
  from: string;
  /** Until (server). */
  to: string;
  /** Reason for the change (server). */
  sw_reason: "MANAGE" | "FCONTA" | "LEFTRL" | "ORGRST" | "TSPROC" | "ABSENC" | "CHCHAN" | "PCCHAN" | "SWDIED" | "OTHERS";
}

/** Status, version 1. */
export interface StatusFields {
  /** Child (server). */
  child: Uint8Array;
  /** Status (server). */
  kind: "CIN" | "CP" | "CLA" | "CL" | "EH" | "S47" | "ASSESS" | "YJ" | "DISAB";
  /** From (server). */
  from: string;
  /** Until (server). */
  to: string;
  /** First category of abuse (server). */
  category_initial: "NEG" | "PHY" | "SAB" | "EMO" | "MUL";
  /** Latest category of abuse (server). */
  category_latest: "NEG" | "PHY" | "SAB" | "EMO" | "MUL";
  /** Primary need (server). */
  primary_need: "N1" | "N2" | "N3" | "N4" | "N5" | "N6" | "N7" | "N8" | "N9" | "N0";
  /** Legal status (server). */
  legal_status: "C1" | "C2" | "D1" | "E1" | "V2" | "V3" | "V4" | "J1" | "J2" | "J3" | "L1" | "L2" | "L3";
  /** Placement type (server). */
  placement_type: "A3" | "A4" | "A5" | "A6" | "H5" | "K1" | "K2" | "P1" | "P2" | "P3" | "R1" | "R2" | "R3" | "R5" | "S1" | "T0" | "T1" | "T2" | "T3" | "T4" | "U1" | "U2" | "U3" | "U4" | "U5" | "U6" | "Z1";
  /** Placement provider (server). */
  provider: "PR0" | "PR1" | "PR2" | "PR3" | "PR4" | "PR5";
  /** Meant to last to 18 (server). */
  long_term_to_18: "Y" | "N";
  /** Regulation that sets the visits (server). */
  reg_basis: string;
  /** Plan number (server). */
  plan_id: string;
  /** Review due (server). */
  review_due: string;
  /** How often to visit (server). */
  visit_frequency: {
    /** Every (server). */
    n: number;
    /** Unit (server). */
    unit: "WD" | "CD" | "WEEK" | "MONTH";
    /** Counted from (server). */
    origin: "DAY0" | "DAY1";
    /** Seen alone every so many visits (server). */
    alone_every: number;
    /** Bedroom seen every so many visits (server). */
    bedroom_every: number;
    /** Set by (server). */
    set_by: string;
    /** Decided on (server). */
    date: string;
  };
}

/** Visit, version 1. */
export interface VisitFields {
  /** Type of visit (human). */
  visit_type: "CIN" | "CP" | "CLA" | "S47" | "ASSESS" | "PRIVFOST" | "ADOPT" | "CARELEAVER" | "EARLYHELP" | "DISAB_SB" | "YJ" | "FIT" | "RHI" | "VOLUNTEER" | "JOINT" | "OTHER";
  /** Planned for (latest). */
  planned: number;
  /** Started (human). */
  start: number;
  /** Ended (human). */
  end: number;
  /** Minutes (derived). */
  duration_min: number;
  /** How (human). */
  contact_mode: "IN_PERSON" | "VIDEO" | "PHONE";
  /** Announced or not (human). */
  announced: "ANNOUNCED" | "UNANNOUNCED";
  /** Place (human). */
  place: "HOME" | "PLACEMENT" | "SCHOOL" | "FAMILY_MEMBER" | "OFFICE" | "COMMUNITY" | "CUSTODY" | "OTHER";
  /** What happened (human). */
  outcome: "COMPLETED" | "NO_ACCESS" | "NO_REPLY" | "REFUSED" | "CANCELLED_FAMILY" | "CANCELLED_SERVICE" | "ABANDONED_SAFETY";
  /** Why it did not take place (human). */
  outcome_reason: string;
  /** What you did about it (human). */
  outcome_action: string;
  /** Workers on the visit (union). */
  workers: { [element: string]: {
    /** Worker (human). */
    worker: Uint8Array;
    /** Profession (human). */
    role: "SW" | "SENIOR_SW" | "TRANSITIONAL_SW" | "EDT_SW" | "STUDENT_SW" | "FAMILY_SUPPORT" | "EARLY_HELP" | "YJ" | "PA" | "DISAB" | "CLIN" | "FIT" | "MET" | "COORD" | "VOL" | "MANAGER" | "OTHER";
  } };
  /** Present (union). */
  present: { [element: string]: {
    /** Person (human). */
    person: Uint8Array;
    /** Who, if not on file (human). */
    described: string;
    /** Who they are to the children (human). */
    role: string;
    /** Was alone with a child (protect). */
    alone_with_child: "Y" | "N";
  } };
  /** Expected but not there (union). */
  absent_expected: { [element: string]: {
    /** Person (human). */
    person: Uint8Array;
    /** Who, if not on file (human). */
    described: string;
    /** Who they are to the children (human). */
    role: string;
    /** Was alone with a child (protect). */
    alone_with_child: "Y" | "N";
  } };
  /** Purpose (text). */
  purpose: string;
  /** Lines of the plan (union). */
  plan_lines: { [element: string]: {
    /** Plan (human). */
    plan: Uint8Array;
    /** Rule of the plan (human). */
    line: Uint8Array;
  } };
  /** Home conditions (own). */
  setting: { [slot: string]: string };
  /** Summary of the visit (text). */
  household_summary: string;
  /** Notes taken on the visit (log). */
  worker_raw_note: { [element: string]: {
    /** How it was taken (log). */
    kind: { [element: string]: {
    } };
    /** Note (log). */
    text: { [element: string]: {
    } };
    /** Drawing or recording (log). */
    blob: { [element: string]: {
    } };
  } };
  /** Next visit (human). */
  next_visit: string;
  /** Manager told (log). */
  manager_alert: { [element: string]: {
    /** Manager told (log). */
    alerted: { [element: string]: {
    } };
    /** Name of the manager (log). */
    who: { [element: string]: {
    } };
    /** When (log). */
    when: { [element: string]: {
    } };
    /** What about (log). */
    about: { [element: string]: {
    } };
  } };
}

/** Child's part of a visit, version 1. */
export interface VisitChildFields {
  /** Visit (human). */
  visit: Uint8Array;
  /** Child (human). */
  child: Uint8Array;
  /** Seen (protect). */
  seen: "Y" | "N";
  /** Spoken to (protect). */
  spoken_to: "Y" | "N" | "NA_INFANT";
  /** Seen alone (protect). */
  seen_alone: "Y" | "N" | "NA_INFANT";
  /** Why not alone (human). */
  not_alone_reason: "REFUSED" | "INAPPROPRIATE" | "UNABLE";
  /** More on why not alone (human). */
  not_alone_note: string;
  /** Awake (infant) (protect). */
  awake: "Y" | "N";
  /** Bedroom seen (protect). */
  bedroom_seen: "Y" | "N";
  /** Where the child sleeps (human). */
  sleeping_place: string;
  /** How the child looked and seemed (text). */
  presentation: string;
  /** With parents and others (text). */
  interaction: string;
  /** Health (text). */
  health: string;
  /** Nursery, school or work (text). */
  education: string;
  /** The child's words (log). */
  child_words: { [element: string]: {
    /** The child's words (log). */
    quote: { [element: string]: {
    } };
    /** Said to (log). */
    to_whom: { [element: string]: {
    } };
    /** What was asked or going on (log). */
    prompt: { [element: string]: {
    } };
    /** Language (log). */
    language: { [element: string]: {
    } };
    /** Interpreter (log). */
    interpreter: { [element: string]: {
    } };
  } };
  /** Tools used with the child (union). */
  tools_used: { [element: string]: {
    /** Tool (human). */
    tool: "THREE_HOUSES" | "FAIRY" | "WIZARD" | "SAFETY_HOUSE" | "WORDS_PICTURES" | "OTHER";
    /** How it went (human). */
    note: string;
  } };
  /** Mark or injury seen (protect). */
  injury_seen: "Y" | "N";
  /** Body map (log). */
  body_map: { [element: string]: {
    /** Where on the body (log). */
    region: { [element: string]: {
    } };
    /** Size in millimetres (log). */
    size_mm: { [element: string]: {
    } };
    /** Shape (log). */
    shape: { [element: string]: {
    } };
    /** Colour (log). */
    colour: { [element: string]: {
    } };
    /** Skin broken (log). */
    broken: { [element: string]: {
    } };
    /** Swelling (log). */
    swelling: { [element: string]: {
    } };
    /** Explained by (log). */
    explanation_by: { [element: string]: {
    } };
    /** Explanation given (log). */
    explanation: { [element: string]: {
    } };
    /** Seen at (log). */
    observed_at: { [element: string]: {
    } };
    /** Seen by, name and role (log). */
    observer: { [element: string]: {
    } };
    /** Replaces an earlier mark (log). */
    supersedes: { [element: string]: {
    } };
    /** Why it is replaced (log). */
    supersede_reason: { [element: string]: {
    } };
  } };
  /** What it means for this child (human). */
  analysis: string;
  /** Worry since last time (own). */
  worry_level_change: { [slot: string]: {
    /** Since last time (own). */
    change: "BETTER" | "SAME" | "WORSE";
    /** Why (own). */
    why: string;
  } };
  /** Counts as a statutory visit (derived). */
  counts_as_statutory: boolean;
}

/** Safety plan, version 1. */
export interface PlanFields {
  /** Status (server). */
  status: "DRAFT" | "AGREED" | "ACTIVE" | "UNDER_REVIEW" | "ENDED" | "SUPERSEDED";
  /** Children the plan protects (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Review on (human). */
  review_date: string;
  /** What is not up for discussion (human). */
  bottom_lines: string;
  /** Rules (union). */
  rules: { [element: string]: {
    /** Rule (human). */
    text: string;
    /** Who does it (human). */
    who: string;
    /** When, or on what sign (human). */
    when: string;
    /** How the family will know (human). */
    family_knows: string;
    /** How it is checked (human). */
    how_checked: string;
    /** Who checks (human). */
    checked_by: string;
    /** From (human). */
    start: string;
    /** State of the rule (protect). */
    status: "IN_FORCE" | "NOT_STARTED" | "PAUSED" | "ENDED";
  } };
  /** People who help (union). */
  network: { [element: string]: {
    /** Person on file (human). */
    person: Uint8Array;
    /** Name (human). */
    name: string;
    /** Phone or other contact (human). */
    contact: string;
    /** What they do in the plan (human). */
    role: string;
    /** Agreed on (human). */
    agreed_on: string;
    /** Knows why (human). */
    knows_why: "Y" | "N";
    /** Poses a risk to a child (protect). */
    poses_risk: "Y" | "N";
  } };
  /** Warning signs (union). */
  triggers: { [element: string]: {
    /** Warning sign (human). */
    text: string;
  } };
  /** If the plan is not followed (human). */
  contingency: string;
  /** Steps to closing (union). */
  trajectory: { [element: string]: {
    /** By (human). */
    date: string;
    /** What we expect to see (text). */
    expected: string;
    /** What we saw (text). */
    evidence: string;
  } };
  /** How the plan is working (log). */
  monitoring: { [element: string]: {
    /** Date (log). */
    date: { [element: string]: {
    } };
    /** Rule (log). */
    rule: { [element: string]: {
    } };
    /** Kept or broken (log). */
    kept: { [element: string]: {
    } };
    /** Seen by (log). */
    seen_by: { [element: string]: {
    } };
    /** What happened (log). */
    what_happened: { [element: string]: {
    } };
  } };
  /** Views (own). */
  views: { [slot: string]: {
    /** Who (own). */
    capacity: "CHILD" | "PARENT" | "CARER" | "NETWORK" | "WORKER" | "OTHER";
    /** Name (own). */
    name: string;
    /** What they think of the plan (own). */
    view: string;
  } };
  /** Signatures (log). */
  signatures: { [element: string]: {
    /** Version (log). */
    version_hash: { [element: string]: {
    } };
    /** Name (log). */
    signer: { [element: string]: {
    } };
    /** Signs as (log). */
    capacity: { [element: string]: {
    } };
    /** How (log). */
    mode: { [element: string]: {
    } };
    /** Why declined (log). */
    declined_reason: { [element: string]: {
    } };
    /** Interpreter (log). */
    interpreter: { [element: string]: {
    } };
    /** When (log). */
    at: { [element: string]: {
    } };
  } };
  /** Copies given (log). */
  shares: { [element: string]: {
    /** Given to (log). */
    recipient: { [element: string]: {
    } };
    /** Version (log). */
    version_hash: { [element: string]: {
    } };
    /** Which copy (log). */
    view: { [element: string]: {
    } };
    /** Language (log). */
    language: { [element: string]: {
    } };
    /** Form (log). */
    format: { [element: string]: {
    } };
    /** How it was handed over (log). */
    route: { [element: string]: {
    } };
    /** Date (log). */
    date: { [element: string]: {
    } };
    /** Receipt confirmed (log). */
    receipt: { [element: string]: {
    } };
    /** If withheld, why (log). */
    withheld_reason: { [element: string]: {
    } };
  } };
}

/** Action, version 1. */
export interface ActionFields {
  /** What is to be done (text). */
  description: string;
  /** Who (human). */
  owner: {
    /** Name (human). */
    name: string;
    /** Worker (human). */
    user: Uint8Array;
    /** Person on file (human). */
    person: Uint8Array;
  };
  /** By (human). */
  due: string;
  /** Plan (human). */
  plan_link: Uint8Array;
  /** Status (protect). */
  status: "OPEN" | "DONE" | "OVERDUE" | "CANCELLED";
  /** Why cancelled (human). */
  status_reason: string;
}
