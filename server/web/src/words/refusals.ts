import { refusalsCy } from "./refusals.cy";
import { language, t } from "./words";

/** A reason by its code, and in English, as the client and the server give it. */
interface Told {
  code: string;
  plain: string;
}

/**
 * A reason in the person's language. English comes with the code; where one code comes
 * with several sentences, the other language may have several as well. What has no words at
 * all is a failure of the app itself.
 */
export function whyWords(r: Told): string {
  if (r.plain === "") return t("app.failed");
  if (language() === "en") return r.plain;
  return refusalsCy[`${r.code}|${r.plain}`] ?? refusalsCy[r.code] ?? r.plain;
}
