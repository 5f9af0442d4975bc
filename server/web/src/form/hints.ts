/** How the form of a kind is laid out, beyond what its schema says. Sections and fields are named by fields' ids. */
export interface Hints {
  /** Sections that come first, each named by one of its fields, in this order; the others follow in the schema's. */
  first?: string[];
  /** Sections that are open when the form is: what somebody standing in a hallway needs. */
  open: string[];
  /** Questions that are rarely asked: folded until they apply or hold something. */
  seldom?: string[];
  /** Questions that are asked on an answer to another, and left out until it is given. */
  follows?: { [field: string]: { field: string; answers: string[] } };
}

/** A kind that is not here is laid out as its schema has it, with its first section open: a new kind needs no hints. */
export const hints: { [kind: string]: Hints } = {
  visit: {
    first: ["setting", "workers", "visit_type"],
    open: ["setting"],
    seldom: ["planned", "announced", "absent_expected", "plan_lines"],
  },
  visit_child: {
    first: ["seen", "child_words", "presentation", "injury_seen", "analysis"],
    open: ["seen", "child_words"],
    seldom: ["sleeping_place", "education", "tools_used"],
    follows: {
      not_alone_reason: { field: "seen_alone", answers: ["N"] },
      not_alone_note: { field: "seen_alone", answers: ["N"] },
      awake: { field: "spoken_to", answers: ["NA_INFANT"] },
      body_map: { field: "injury_seen", answers: ["Y"] },
    },
  },
  plan: {
    first: ["rules", "monitoring", "network", "triggers", "status"],
    open: ["rules"],
    seldom: ["trajectory"],
  },
  mapping: { open: ["harm", "strengths", "next_steps", "scores"] },
};
