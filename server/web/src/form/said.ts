import { t, timeWords } from "../words/words";

/** How long a write may take before the page says that it is under way: no more typing than that may ever be lost. */
const slowMS = 250;

const minuteMS = 60_000;

/**
 * What the page says of a text that somebody types: whether it is on the disk. It is said
 * without drawing the form anew, which the keystroke would have to wait for. What was said
 * before is out of sight from the keystroke on with which it is not true any more.
 */
export class Said {
  /** Running, or over, as long as something is not known to be on the disk. */
  #late: number | undefined;
  #saved = { minute: 0, words: "" };

  constructor(readonly place: () => HTMLElement | null) {}

  /** Something was typed that is not on the disk yet. */
  typed(): void {
    if (this.#late !== undefined) return;
    this.place()?.setAttribute("data-typed", "");
    this.#late = window.setTimeout(() => this.#show(t("record.saving")), slowMS);
  }

  /** All that was typed is on the disk. */
  saved(): void {
    const now = Date.now(), minute = Math.floor(now / minuteMS);
    if (minute !== this.#saved.minute) this.#saved = { minute, words: t("record.saved", { time: timeWords(now) }) };
    this.say(this.#saved.words);
  }

  say(words: string): void {
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#show(words);
  }

  #show(words: string): void {
    const el = this.place();
    if (!el) return;
    if (el.textContent !== words) el.textContent = words;
    el.removeAttribute("data-typed");
  }
}
