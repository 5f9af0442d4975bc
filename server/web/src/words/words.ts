import { whoIsHere } from "../route";
import { cy } from "./cy";
import { en, type Key } from "./en";

export type Language = "en" | "cy";

const stored = "doorstep-language"; // preferences by the random names of stores, and nothing about anybody

/** The language that whoever is here chose, else the one that was chosen last on this tablet; English until then. */
export function language(): Language {
  const own = localStorage.getItem(stored + "-" + whoIsHere());
  return (own ?? localStorage.getItem(stored)) === "cy" ? "cy" : "en";
}

export function chooseLanguage(l: Language): void {
  localStorage.setItem(stored, l);
  localStorage.setItem(stored + "-" + whoIsHere(), l);
  location.reload();
}

/** A text of the catalogue in the person's language, with its places filled in. */
export function t(key: Key, fill: { [name: string]: string | number } = {}): string {
  const words = (language() === "cy" ? cy : en)[key];
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
}

/** Browsers know few languages' months: Welsh ones are ours. */
const welshMonths = ["Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"];

function dateWords(d: Date, month: "long" | "short"): string {
  if (language() === "cy") return `${d.getDate()} ${welshMonths[d.getMonth()]!} ${d.getFullYear()}`;
  return d.toLocaleDateString("en-GB", { day: "numeric", month, year: "numeric" });
}

/** A day as it is written in the record, "2026-11-21", for a person. */
export function dayWords(day: string): string {
  const d = new Date(day + "T12:00:00");
  return Number.isNaN(d.getTime()) ? day : dateWords(d, "long");
}

/** A time in Unix milliseconds: today by its hour, else with its day. */
export function timeWords(ms: number, now = Date.now()): string {
  const d = new Date(ms), same = new Date(now).toDateString() === d.toDateString();
  const hour = d.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return same ? hour : `${dateWords(d, "short")}, ${hour}`;
}

/** A language's name from its tag: "pl" is Polish. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([...(language() === "cy" ? ["cy-GB"] : []), "en-GB"], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** The day of a time, in the tablet's own zone. */
export function dayOf(ms: number): string {
  const d = new Date(ms), two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}
