import type { Condition, FieldKind, Value } from "@doorstep/client";

/** Answers of the record, or of the element, that conditions look at. */
export type Answers = (field: string) => Value;

/** Whether a condition holds; undefined where this form cannot tell. */
function holds(c: Condition, answers: Answers): boolean | undefined {
  if (c.field.startsWith("@") || c.field.includes(".")) return undefined;
  const value = answers(c.field);
  switch (c.test) {
    case "one_of": return c.values.includes(value);
    case "none_of": return !c.values.includes(value);
    case "answered": return value !== null && value !== "";
    case "unanswered": return value === null || value === "";
    default: return undefined;
  }
}

/** Whether a field must be answered before the record is final, as far as the form can tell. */
export function isNeeded(f: FieldKind, answers: Answers): boolean {
  return f.required || f.requiredIf.length > 0 && f.requiredIf.every((c) => holds(c, answers) === true);
}

/**
 * Whether a field is only asked on another answer, and that answer is not given: it
 * is left out until it is. A field that holds something is always shown.
 */
export function isBeside(f: FieldKind, answers: Answers, always: boolean): boolean {
  if (f.required || f.requiredIf.length === 0 || !(always || f.long)) return false;
  return f.requiredIf.some((c) => holds(c, answers) === false);
}
