// Written by `go test ./client-sdk/ts/bundle -update` from package schema. Do not edit.

/** The record kinds that this build knows. */
export type KindID =
  | "family"
  | "person"
  | "allocation"
  | "status"
  | "visit"
  | "visit_child"
  | "child_tool"
  | "mapping"
  | "plan"
  | "action"
  | "motivational"
  | "systemic"
  | "parenting"
  | "fit_session"
  | "disclosure"
  | "missing_episode"
  | "return_interview"
  | "intelligence"
  | "exploitation"
  | "nrm_referral"
  | "volunteer_match"
  | "volunteer_log"
  | "volunteer_concern"
  | "minutes"
  | "supervision"
  | "consultation"
  | "reflective_group"
  | "supervision_personal"
  | "observation";

/** What the fields of each kind hold. A reference is 16 bytes: see `refTo`. */
export interface KindFields {
  family: FamilyFields;
  person: PersonFields;
  allocation: AllocationFields;
  status: StatusFields;
  visit: VisitFields;
  visit_child: VisitChildFields;
  child_tool: ChildToolFields;
  mapping: MappingFields;
  plan: PlanFields;
  action: ActionFields;
  motivational: MotivationalFields;
  systemic: SystemicFields;
  parenting: ParentingFields;
  fit_session: FitSessionFields;
  disclosure: DisclosureFields;
  missing_episode: MissingEpisodeFields;
  return_interview: ReturnInterviewFields;
  intelligence: IntelligenceFields;
  exploitation: ExploitationFields;
  nrm_referral: NrmReferralFields;
  volunteer_match: VolunteerMatchFields;
  volunteer_log: VolunteerLogFields;
  volunteer_concern: VolunteerConcernFields;
  minutes: MinutesFields;
  supervision: SupervisionFields;
  consultation: ConsultationFields;
  reflective_group: ReflectiveGroupFields;
  supervision_personal: SupervisionPersonalFields;
  observation: ObservationFields;
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
  /** Date of death (human). */
  died: string;
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
  /** What sets the visits (server). */
  reg_basis: "REG19" | "REG24" | "REG28_3A";
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
  /** Placement began (server). */
  placement_from: string;
  /** First review held (server). */
  first_review: string;
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
    /** Sheet (human). */
    sheet: Uint8Array;
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
    /** Moves less freely (log). */
    mobility: { [element: string]: {
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

/** Work with a child, version 1. */
export interface ChildToolFields {
  /** Child (human). */
  child: Uint8Array;
  /** Tool (human). */
  tool: "THREE_HOUSES" | "FAIRY" | "WIZARD" | "SAFETY_HOUSE" | "WORDS_PICTURES" | "OTHER";
  /** Done on (human). */
  done_on: string;
  /** On which visit (human). */
  visit: Uint8Array;
  /** What the child said and drew (log). */
  panels: { [element: string]: {
    /** Which part (log). */
    panel: { [element: string]: {
    } };
    /** What was asked (log). */
    prompt: { [element: string]: {
    } };
    /** The child's words (log). */
    words: { [element: string]: {
    } };
    /** Drawing (log). */
    drawing: { [element: string]: {
    } };
    /** Written or drawn by (log). */
    drawn_by: { [element: string]: {
    } };
    /** Language (log). */
    language: { [element: string]: {
    } };
  } };
  /** The child agrees to share it (protect). */
  may_share: "Y" | "N";
  /** With whom (union). */
  share_with: { [element: string]: {
    /** Name (human). */
    name: string;
  } };
  /** The story (human). */
  storyboard: string;
  /** Who agreed the wording (union). */
  agreed_by: { [element: string]: {
    /** Name (human). */
    name: string;
    /** Agrees as (human). */
    capacity: "CHILD" | "PARENT" | "CARER" | "NETWORK" | "WORKER" | "OTHER";
    /** On (human). */
    on: string;
  } };
  /** Explained to the child (log). */
  explained: { [element: string]: {
    /** On (log). */
    on: { [element: string]: {
    } };
    /** How (log). */
    how: { [element: string]: {
    } };
    /** By (log). */
    by: { [element: string]: {
    } };
  } };
}

/** Mapping, version 1. */
export interface MappingFields {
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Date (human). */
  held_on: string;
  /** Past harm (union). */
  harm: { [element: string]: {
    /** What (human). */
    text: string;
    /** Who says so (human). */
    source: string;
    /** When (human). */
    date: string;
    /** How we know (human). */
    evidence: string;
  } };
  /** Danger statements and safety goals (union). */
  dangers: { [element: string]: {
    /** Who is worried (human). */
    who: string;
    /** What about (human). */
    what: string;
    /** What it may do to the child (human). */
    impact: string;
    /** Goal: what parents will do (human). */
    goal_parents: string;
    /** Goal: what the child will notice (human). */
    goal_child: string;
    /** Goal: what professionals will see (human). */
    goal_seen: string;
    /** Goal: how long it must hold (human). */
    goal_how_long: string;
  } };
  /** Who sees it differently (own). */
  disputes: { [slot: string]: {
    /** Danger statement (own). */
    danger: Uint8Array;
    /** Who disagrees (own). */
    name: string;
    /** What they say (own). */
    text: string;
  } };
  /** Complicating factors (union). */
  complicating: { [element: string]: {
    /** What (human). */
    text: string;
    /** Who says so (human). */
    source: string;
    /** When (human). */
    date: string;
    /** How we know (human). */
    evidence: string;
  } };
  /** Existing strengths (union). */
  strengths: { [element: string]: {
    /** What (human). */
    text: string;
    /** Who says so (human). */
    source: string;
    /** When (human). */
    date: string;
    /** How we know (human). */
    evidence: string;
  } };
  /** Existing safety (union). */
  existing_safety: { [element: string]: {
    /** What (human). */
    text: string;
    /** Who says so (human). */
    source: string;
    /** When (human). */
    date: string;
    /** How we know (human). */
    evidence: string;
    /** Against which danger (human). */
    danger: Uint8Array;
  } };
  /** Next steps (union). */
  next_steps: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
  /** Safety scale (own). */
  scores: { [slot: string]: {
    /** Name (own). */
    rater: string;
    /** Who (own). */
    role: "CHILD" | "PARENT" | "CARER" | "NETWORK" | "WORKER" | "OTHER";
    /** Question, or which danger (own). */
    question: string;
    /** Date (own). */
    date: string;
    /** Score, 0 to 10 (own). */
    score: number;
    /** Why this number (own). */
    why: string;
    /** What would make it one more (own). */
    plus_one: string;
  } };
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
    /** Agreed or not (log). */
    mode: { [element: string]: {
    } };
    /** Why declined or not asked (log). */
    declined_reason: { [element: string]: {
    } };
    /** Who saw or heard it (log). */
    witness: { [element: string]: {
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

/** Motivational conversation, version 1. */
export interface MotivationalFields {
  /** With whom (human). */
  person: Uint8Array;
  /** Date (human). */
  held_on: string;
  /** Where the conversation was (human). */
  process: "ENGAGE" | "FOCUS" | "EVOKE" | "PLAN";
  /** What the person may change (human). */
  focus: string;
  /** Rulers (own). */
  rulers: { [slot: string]: {
    /** Ruler (own). */
    ruler: "IMPORTANCE" | "CONFIDENCE" | "READINESS";
    /** Lowest number (own). */
    min: number;
    /** Highest number (own). */
    max: number;
    /** Their number (own). */
    score: number;
    /** Why not lower (own). */
    why_not_lower: string;
    /** What would take it up (own). */
    what_next: string;
  } };
  /** In their own words (log). */
  quotes: { [element: string]: {
    /** Who said it (log). */
    speaker: { [element: string]: {
    } };
    /** Their words (log). */
    quote: { [element: string]: {
    } };
    /** Which way it points (log). */
    talk: { [element: string]: {
    } };
    /** What it speaks of (log). */
    kind: { [element: string]: {
    } };
  } };
  /** Agreed steps (union). */
  agreed_steps: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
}

/** Systemic session, version 1. */
export interface SystemicFields {
  /** Date (human). */
  held_on: string;
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
  /** Hypotheses (union). */
  hypotheses: { [element: string]: {
    /** Hypothesis (human). */
    text: string;
    /** Raised by (human). */
    raised_by: string;
    /** State (latest). */
    status: "OPEN" | "TRIED" | "DROPPED";
    /** What speaks for it (human). */
    evidence_for: string;
    /** What speaks against it (human). */
    evidence_against: string;
  } };
  /** What you asked and tried (own). */
  interventions: { [slot: string]: string };
  /** How the family responded (own). */
  response: { [slot: string]: string };
  /** Reflections for the file (own). */
  reflections: { [slot: string]: string };
}

/** Parenting programme, version 1. */
export interface ParentingFields {
  /** Parent (human). */
  parent: Uint8Array;
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Programme (human). */
  programme: "INCREDIBLE_YEARS" | "TRIPLE_P" | "SFSC" | "SFP_10_14" | "OTHER";
  /** Which programme (human). */
  programme_other: string;
  /** Enrolled on (human). */
  from: string;
  /** Ended on (human). */
  to: string;
  /** How it ended (human). */
  end_reason: string;
  /** Sessions (union). */
  sessions: { [element: string]: {
    /** Session number (human). */
    no: number;
    /** Date (human). */
    date: string;
    /** Topic or module (human). */
    module: string;
    /** Attendance (human). */
    attendance: "ATTENDED" | "PART" | "MISSED";
    /** Why not all of it (human). */
    reason: string;
    /** Practice at home (human). */
    home_practice: string;
    /** What was left out or added (human). */
    fidelity: string;
    /** Parent's rating, 0 to 10 (human). */
    parent_rating: number;
  } };
  /** Measures (log). */
  measures: { [element: string]: {
    /** Instrument (log). */
    instrument: { [element: string]: {
    } };
    /** Which one (log). */
    name: { [element: string]: {
    } };
    /** When in the programme (log). */
    point: { [element: string]: {
    } };
    /** About (log). */
    about: { [element: string]: {
    } };
    /** Date (log). */
    date: { [element: string]: {
    } };
    /** Total difficulties, 0 to 40 (log). */
    sdq: { [element: string]: {
    } };
    /** Score of another instrument (log). */
    score: { [element: string]: {
    } };
  } };
}

/** Family intervention session, version 1. */
export interface FitSessionFields {
  /** Adult (human). */
  adult: Uint8Array;
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Date (human). */
  held_on: string;
  /** Strand (human). */
  strand: "DA" | "SUBSTANCE" | "MENTAL_HEALTH";
  /** Module (human). */
  module: string;
  /** What you did (own). */
  work_done: { [slot: string]: string };
  /** Scores (log). */
  scores: { [element: string]: {
    /** Instrument (log). */
    instrument: { [element: string]: {
    } };
    /** Which one (log). */
    name: { [element: string]: {
    } };
    /** Date (log). */
    date: { [element: string]: {
    } };
    /** Score (log). */
    score: { [element: string]: {
    } };
  } };
  /** So what for the child (text). */
  child_impact: string;
  /** Goals (union). */
  goals: { [element: string]: {
    /** Goal (human). */
    text: string;
    /** State (human). */
    status: "OPEN" | "MET" | "DROPPED";
  } };
}

/** Disclosure in confidence, version 1. */
export interface DisclosureFields {
  /** Who told you (human). */
  person: Uint8Array;
  /** In which session (human). */
  session: Uint8Array;
  /** When (human). */
  told_at: number;
  /** You were alone with them (protect). */
  alone: "Y" | "N";
  /** Their words (log). */
  words: { [element: string]: {
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
  /** Your note (own). */
  note: { [slot: string]: string };
  /** Must stay hidden (protect). */
  restricted: "Y" | "N";
  /** Who must never learn of it (human). */
  hide_from: string;
  /** How to reach them safely (human). */
  safe_contact: string;
  /** What you did to keep them safe (text). */
  done: string;
}

/** Missing episode, version 1. */
export interface MissingEpisodeFields {
  /** Child (human). */
  child: Uint8Array;
  /** State (protect). */
  state: "OPEN" | "CLOSED";
  /** Missing or away (human). */
  type: "M" | "A";
  /** Missing since (human). */
  start: number;
  /** Counted from (human). */
  start_basis: "LEFT" | "LAST_SEEN";
  /** Last seen (log). */
  last_seen: { [element: string]: {
    /** When (log). */
    at: { [element: string]: {
    } };
    /** Where (log). */
    where: { [element: string]: {
    } };
    /** Seen by (log). */
    by: { [element: string]: {
    } };
    /** Clothing, mood, what was said (log). */
    note: { [element: string]: {
    } };
  } };
  /** Who may be with them (union). */
  companions: { [element: string]: {
    /** Person on file (human). */
    person: Uint8Array;
    /** Name or description (human). */
    name: string;
  } };
  /** Reported to the police (protect). */
  police_told: "Y" | "N";
  /** Police reference (human). */
  police_ref: string;
  /** Grade of risk (protect). */
  grade: "NO_APPARENT" | "LOW" | "MEDIUM" | "HIGH";
  /** Found or returned at (human). */
  end: number;
  /** Where they were found (human). */
  found_place: string;
  /** Came to harm (protect). */
  harmed: "Y" | "N";
  /** What harm (human). */
  harm: string;
  /** Prevention check (log). */
  prevention_check: { [element: string]: {
    /** When (log). */
    at: { [element: string]: {
    } };
    /** What was done, and what came of it (log). */
    what: { [element: string]: {
    } };
    /** By (log). */
    by: { [element: string]: {
    } };
  } };
}

/** Return home interview, version 1. */
export interface ReturnInterviewFields {
  /** Child (human). */
  child: Uint8Array;
  /** Missing episode (human). */
  episode: Uint8Array;
  /** Returned at (human). */
  returned_at: number;
  /** Due by (derived). */
  due: number;
  /** Offered (protect). */
  offered: "Y" | "N";
  /** Offered at (human). */
  offered_at: number;
  /** Why not offered (human). */
  not_offered_why: string;
  /** Accepted (human). */
  accepted: "Y" | "N" | "NA";
  /** Why it was not held (human). */
  not_held_why: string;
  /** Held at (human). */
  held_at: number;
  /** Place (human). */
  place: string;
  /** Interviewer (human). */
  interviewer: string;
  /** Independent of the child's care (protect). */
  independent: "Y" | "N";
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
  /** What pushed them away (union). */
  push: { [element: string]: {
    /** Factor (human). */
    factor: "CONFLICT" | "ABUSE" | "SCHOOL" | "PEERS" | "PARTNER" | "EXPLOITATION" | "CONTACT" | "PLACEMENT" | "BOREDOM" | "DRUGS" | "MENTAL_HEALTH" | "OTHER";
    /** More on it (human). */
    note: string;
  } };
  /** What drew them (union). */
  pull: { [element: string]: {
    /** Factor (human). */
    factor: "CONFLICT" | "ABUSE" | "SCHOOL" | "PEERS" | "PARTNER" | "EXPLOITATION" | "CONTACT" | "PLACEMENT" | "BOREDOM" | "DRUGS" | "MENTAL_HEALTH" | "OTHER";
    /** More on it (human). */
    note: string;
  } };
  /** Where they were (human). */
  where: string;
  /** With whom (human). */
  with_whom: string;
  /** How they travelled and returned (human). */
  travel: string;
  /** What harm they came to (human). */
  harm: string;
  /** What carers say (own). */
  carer_account: { [slot: string]: {
    /** Name (own). */
    name: string;
    /** What they say (own). */
    account: string;
  } };
  /** Plan to prevent another episode (text). */
  prevent: string;
}

/** Intelligence, version 1. */
export interface IntelligenceFields {
  /** Child (human). */
  about: Uint8Array;
  /** Missing episode (human). */
  episode: Uint8Array;
  /** What is known (human). */
  text: string;
  /** Source (human). */
  source: string;
  /** May be shared with partner agencies (protect). */
  share_with_partner: "Y" | "N";
}

/** Exploitation assessment, version 1. */
export interface ExploitationFields {
  /** Child (human). */
  child: Uint8Array;
  /** Date (human). */
  assessed_on: string;
  /** Kinds of exploitation (union). */
  types: { [element: string]: {
    /** Kind of exploitation (human). */
    type: "CSE" | "CCE" | "CL" | "MDS" | "TRAFFICKING";
  } };
  /** Indicators (union). */
  indicators: { [element: string]: {
    /** Indicator (human). */
    code: "MISSING" | "OLDER" | "PEERS" | "MONEY" | "DEBT" | "DRUGS" | "CARRYING" | "OFFENDING" | "ONLINE" | "SEXUAL_HEALTH" | "INJURY" | "TRAVEL" | "SCHOOL" | "FAMILY" | "CONTROL" | "MENTAL_HEALTH" | "OTHER";
    /** How recent (protect). */
    level: "CURRENT_3M" | "RECENT_3_6M" | "NONE" | "UNKNOWN";
    /** How you know (human). */
    explanation: string;
  } };
  /** Indicators of the last six months (derived). */
  score: number;
  /** Grade of risk (protect). */
  grade: "NO_APPARENT" | "LOW" | "MEDIUM" | "HIGH";
  /** Professional judgement (human). */
  professional_judgement: string;
  /** The grade departs from the indicators (human). */
  overrides: "Y" | "N";
  /** Why it departs (human). */
  override_reason: string;
  /** Reviewed by (human). */
  reviewed_by: string;
  /** Reviewed on (human). */
  reviewed_on: string;
}

/** Referral prompt sheet, version 1. */
export interface NrmReferralFields {
  /** Person (server). */
  person: Uint8Array;
  /** Under 18, or may be (server). */
  under_18: "Y" | "N";
  /** Made safe first (log). */
  safeguarding: { [element: string]: {
    /** When (log). */
    at: { [element: string]: {
    } };
    /** What was done, and what came of it (log). */
    what: { [element: string]: {
    } };
    /** By (log). */
    by: { [element: string]: {
    } };
  } };
  /** What the form will ask (log). */
  prompts: { [element: string]: {
    /** Prompt (log). */
    prompt: { [element: string]: {
    } };
    /** Answer (log). */
    answer: { [element: string]: {
    } };
    /** Who says so (log). */
    source: { [element: string]: {
    } };
  } };
  /** Decision (server). */
  decision: "REFER" | "NOT_REFER";
  /** Why (server). */
  decision_why: string;
  /** Manager who agreed not to refer a child (server). */
  manager: string;
  /** Sent at (server). */
  sent_at: number;
  /** Reference (server). */
  reference: string;
  /** Reasonable grounds decision (server). */
  rg_decision: "WAITING" | "POSITIVE" | "NEGATIVE";
  /** Conclusive grounds decision (server). */
  cg_decision: "WAITING" | "POSITIVE" | "NEGATIVE";
  /** Child trafficking guardian (server). */
  ictg: "Y" | "N";
}

/** Volunteer match, version 1. */
export interface VolunteerMatchFields {
  /** Volunteer (server). */
  volunteer: Uint8Array;
  /** Supervisor (server). */
  supervisor: Uint8Array;
  /** From (server). */
  from: string;
  /** Until (server). */
  to: string;
  /** DBS check runs out on (server). */
  dbs_expiry: string;
  /** Tasks allowed (server). */
  tasks: string;
  /** What the volunteer needs to know (server). */
  info_sheet: string;
}

/** Volunteer's log, version 1. */
export interface VolunteerLogFields {
  /** Contact (own). */
  contact: { [slot: string]: {
    /** Match (own). */
    match: Uint8Array;
    /** Date (own). */
    date: string;
    /** From (own). */
    start: number;
    /** Until (own). */
    end: number;
    /** What you did (own). */
    activity: "HOME_HELP" | "PLAY" | "SCHOOL" | "APPOINTMENT" | "TALK" | "OTHER";
    /** What you saw (own). */
    note: string;
  } };
}

/** Volunteer's concern, version 1. */
export interface VolunteerConcernFields {
  /** Concern (log). */
  concern: { [element: string]: {
    /** About whom (log). */
    about: { [element: string]: {
    } };
    /** When (log). */
    at: { [element: string]: {
    } };
    /** What worries you (log). */
    what: { [element: string]: {
    } };
    /** Somebody is in danger now (log). */
    danger_now: { [element: string]: {
    } };
    /** Whom you rang (log). */
    told: { [element: string]: {
    } };
  } };
  /** What was done about it (log). */
  response: { [element: string]: {
    /** When (log). */
    at: { [element: string]: {
    } };
    /** What was done, and what came of it (log). */
    what: { [element: string]: {
    } };
    /** By (log). */
    by: { [element: string]: {
    } };
  } };
}

/** Minutes of a meeting, version 1. */
export interface MinutesFields {
  /** Sort of meeting (human). */
  type: "CORE_GROUP" | "CIN_MEETING" | "CP_REVIEW" | "NETWORK" | "STRATEGY" | "OTHER";
  /** Which meeting (human). */
  meeting: string;
  /** Started (human). */
  start: number;
  /** Attending (union). */
  attendees: { [element: string]: {
    /** Worker (human). */
    worker: Uint8Array;
    /** Name, if not a user here (human). */
    name: string;
    /** Profession (human). */
    role: "SW" | "SENIOR_SW" | "TRANSITIONAL_SW" | "EDT_SW" | "STUDENT_SW" | "FAMILY_SUPPORT" | "EARLY_HELP" | "YJ" | "PA" | "DISAB" | "CLIN" | "FIT" | "MET" | "COORD" | "VOL" | "MANAGER" | "OTHER";
  } };
  /** What was said (text). */
  discussed: string;
  /** Actions (union). */
  actions: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
}

/** Supervision of a case, version 1. */
export interface SupervisionFields {
  /** Date (human). */
  held_on: string;
  /** Attending (union). */
  attendees: { [element: string]: {
    /** Worker (human). */
    worker: Uint8Array;
    /** Name, if not a user here (human). */
    name: string;
    /** Profession (human). */
    role: "SW" | "SENIOR_SW" | "TRANSITIONAL_SW" | "EDT_SW" | "STUDENT_SW" | "FAMILY_SUPPORT" | "EARLY_HELP" | "YJ" | "PA" | "DISAB" | "CLIN" | "FIT" | "MET" | "COORD" | "VOL" | "MANAGER" | "OTHER";
  } };
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Question (human). */
  question: string;
  /** Hypotheses (union). */
  hypotheses: { [element: string]: {
    /** Hypothesis (human). */
    text: string;
    /** Raised by (human). */
    raised_by: string;
    /** State (latest). */
    status: "OPEN" | "TRIED" | "DROPPED";
    /** What speaks for it (human). */
    evidence_for: string;
    /** What speaks against it (human). */
    evidence_against: string;
  } };
  /** Ideas (union). */
  ideas: { [element: string]: {
    /** Idea (human). */
    text: string;
    /** Whose (human). */
    from: string;
  } };
  /** Brief summary (text). */
  summary: string;
  /** Decision (human). */
  decision: string;
  /** Why (human). */
  rationale: string;
  /** Accountable manager (human). */
  manager: Uint8Array;
  /** Actions (union). */
  actions: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
}

/** Case consultation, version 1. */
export interface ConsultationFields {
  /** Date (human). */
  held_on: string;
  /** Attending (union). */
  attendees: { [element: string]: {
    /** Worker (human). */
    worker: Uint8Array;
    /** Name, if not a user here (human). */
    name: string;
    /** Profession (human). */
    role: "SW" | "SENIOR_SW" | "TRANSITIONAL_SW" | "EDT_SW" | "STUDENT_SW" | "FAMILY_SUPPORT" | "EARLY_HELP" | "YJ" | "PA" | "DISAB" | "CLIN" | "FIT" | "MET" | "COORD" | "VOL" | "MANAGER" | "OTHER";
  } };
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Question (human). */
  question: string;
  /** Hypotheses (union). */
  hypotheses: { [element: string]: {
    /** Hypothesis (human). */
    text: string;
    /** Raised by (human). */
    raised_by: string;
    /** State (latest). */
    status: "OPEN" | "TRIED" | "DROPPED";
    /** What speaks for it (human). */
    evidence_for: string;
    /** What speaks against it (human). */
    evidence_against: string;
  } };
  /** Ideas (union). */
  ideas: { [element: string]: {
    /** Idea (human). */
    text: string;
    /** Whose (human). */
    from: string;
  } };
  /** Brief summary (text). */
  summary: string;
  /** Decision (human). */
  decision: string;
  /** Why (human). */
  rationale: string;
  /** Accountable manager (human). */
  manager: Uint8Array;
  /** Actions (union). */
  actions: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
}

/** Reflective group, version 1. */
export interface ReflectiveGroupFields {
  /** Date (human). */
  held_on: string;
  /** Attending (union). */
  attendees: { [element: string]: {
    /** Worker (human). */
    worker: Uint8Array;
    /** Name, if not a user here (human). */
    name: string;
    /** Profession (human). */
    role: "SW" | "SENIOR_SW" | "TRANSITIONAL_SW" | "EDT_SW" | "STUDENT_SW" | "FAMILY_SUPPORT" | "EARLY_HELP" | "YJ" | "PA" | "DISAB" | "CLIN" | "FIT" | "MET" | "COORD" | "VOL" | "MANAGER" | "OTHER";
  } };
  /** Children (union). */
  children: { [element: string]: {
    /** Child (human). */
    child: Uint8Array;
  } };
  /** Question (human). */
  question: string;
  /** Hypotheses (union). */
  hypotheses: { [element: string]: {
    /** Hypothesis (human). */
    text: string;
    /** Raised by (human). */
    raised_by: string;
    /** State (latest). */
    status: "OPEN" | "TRIED" | "DROPPED";
    /** What speaks for it (human). */
    evidence_for: string;
    /** What speaks against it (human). */
    evidence_against: string;
  } };
  /** Ideas (union). */
  ideas: { [element: string]: {
    /** Idea (human). */
    text: string;
    /** Whose (human). */
    from: string;
  } };
  /** Brief summary (text). */
  summary: string;
  /** Decision (human). */
  decision: string;
  /** Why (human). */
  rationale: string;
  /** Accountable manager (human). */
  manager: Uint8Array;
  /** Actions (union). */
  actions: { [element: string]: {
    /** What (human). */
    what: string;
    /** Who (human). */
    who: string;
    /** By (human). */
    by: string;
    /** Action (human). */
    action: Uint8Array;
  } };
}

/** Personal part of supervision, version 1. */
export interface SupervisionPersonalFields {
  /** Supervisee (human). */
  supervisee: Uint8Array;
  /** Date (human). */
  held_on: string;
  /** Wellbeing and workload (own). */
  wellbeing: { [slot: string]: string };
  /** Reflection (own). */
  reflection: { [slot: string]: string };
  /** Learning and development (own). */
  development: { [slot: string]: string };
}

/** Observed practice, version 1. */
export interface ObservationFields {
  /** Worker observed (human). */
  worker: Uint8Array;
  /** Date (human). */
  held_on: string;
  /** The family consented (protect). */
  consent: "Y" | "N";
  /** What you saw (own). */
  seen: { [slot: string]: string };
  /** What went well (own). */
  strengths: { [slot: string]: string };
  /** What to try (own). */
  ideas: { [slot: string]: string };
}
