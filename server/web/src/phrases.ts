import { t } from "./words/words";

const stored = "doorstep-phrases"; // beginnings of sentences, nothing about anybody

/** Ways to begin a sentence: the person's own, or the app's. */
export function phrases(): string[] {
  const own = localStorage.getItem(stored);
  if (own !== null) return own.split("\n").filter((p) => p.trim() !== "").map((p) => p.trimEnd() + " ");
  return [t("phrase.saw"), t("phrase.heard"), t("phrase.smelt"), t("phrase.told", { who: "…" }), t("phrase.agreed"), t("phrase.means")];
}

export function keepPhrases(lines: string): void {
  localStorage.setItem(stored, lines);
}
