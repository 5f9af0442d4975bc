import type { FieldKind, Kind } from "@doorstep/client";
import { language } from "./words";

declare const KINDS_CY_URL: string;

/**
 * What the forms say, by the schema's English. The few texts that mean several things
 * stand under their place besides: "plan.trajectory.date|By".
 */
type Texts = { [english: string]: string };

/** The texts of forms in the person's language; none where that is the schema's own, or they cannot be read. */
export async function formTexts(): Promise<Texts> {
  if (language() === "en") return {};
  try {
    return await (await fetch(KINDS_CY_URL)).json() as Texts;
  } catch {
    return {}; // a form in English is better than none
  }
}

/** A text of the schema's that comes by itself, such as what is wrong with an answer. */
export function said(texts: Texts, english: string): string {
  return texts[english] ?? english;
}

/** The kinds as their forms say them in a language. */
export function inWords(kinds: Kind[], texts: Texts): Kind[] {
  return kinds.map((k) => ({ ...k, name: said(texts, k.name), fields: k.fields.map((f) => fieldIn(texts, f, `${k.id}.${f.id}`)) }));
}

function fieldIn(texts: Texts, f: FieldKind, place: string): FieldKind {
  const words = (english: string) => english === "" ? "" : texts[`${place}|${english}`] ?? said(texts, english);
  return {
    ...f, name: words(f.name), help: words(f.help), section: words(f.section),
    codes: f.codes.map((c) => ({ ...c, label: words(c.label) })),
    sub: f.sub.map((s) => fieldIn(texts, s, `${place}.${s.id}`)),
  };
}
