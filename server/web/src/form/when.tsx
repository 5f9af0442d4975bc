import type { Value } from "@doorstep/client";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { dayOf, dayWords, t } from "../words/words";

interface Props {
  /** The question, and what is said beside it. */
  legend: ComponentChildren;
  help: string;
  value: Value;
  onValue: (v: Value) => void;
  /** The fields are there at once: there is nothing else to do here. */
  open?: boolean;
}

/** What somebody typed of a day. Browsers' own date fields follow the language of the browser, not of the country. */
interface Typed {
  day: string;
  month: string;
  year: string;
  time: string;
}

const nothing: Typed = { day: "", month: "", year: "", time: "" };

/** A day, in three fields in the order that is written here. Its value is "2026-11-21". */
export function DayInput(props: Props) {
  const asTyped = (v: Value): Typed => (typeof v === "string" ? { ...nothing, ...partsOfDay(v) } : nothing);
  return <Fields {...props} asTyped={asTyped} asValue={(typed) => dayFrom(typed)} now={() => dayOf(Date.now())} nowWords={t("record.today")}
    otherWords={t("date.other")} words={typeof props.value === "string" ? dayWords(props.value) : ""} />;
}

/** A day and a time of the day. Its value is in Unix milliseconds. */
export function TimeInput(props: Props) {
  const asTyped = (v: Value): Typed => (typeof v === "number" ? { ...partsOfDay(dayOf(v)), time: clockOf(v) } : nothing);
  const asValue = (typed: Typed): Value | undefined => {
    const day = dayFrom(typed), clock = clockFrom(typed.time);
    return typeof day === "string" && clock ? new Date(`${day}T${clock}`).getTime() : undefined;
  };
  return <Fields {...props} asTyped={asTyped} asValue={asValue} now={() => Math.floor(Date.now() / 60_000) * 60_000} nowWords={t("record.now")}
    otherWords={t("date.other_time")} words={typeof props.value === "number" ? `${dayWords(dayOf(props.value))}, ${clockOf(props.value)}` : ""} withTime />;
}

interface FieldsProps extends Props {
  asTyped: (v: Value) => Typed;
  /** undefined: not a day, or not all of one. */
  asValue: (typed: Typed) => Value | undefined;
  now: () => Value;
  nowWords: string;
  /** What opens the fields while there is no value. */
  otherWords: string;
  /** The value, for reading. */
  words: string;
  withTime?: boolean;
}

function Fields(props: FieldsProps) {
  const id = useId();
  const [typed, setTyped] = useState(() => props.asTyped(props.value));
  const [wrong, setWrong] = useState(false);
  const [open, setOpen] = useState(() => props.open === true || isBegun(typed) && props.asValue(typed) === undefined);
  const group = useRef<HTMLDivElement>(null), opened = useRef(false);
  useEffect(() => { if (open && opened.current) group.current?.querySelector("input")?.focus(); }, [open]);
  const inside = useRef(false); // "2.30" is a time on the way to "2.30pm": what is being typed is left alone
  useEffect(() => {
    setTyped((old) => {
      const said = isBegun(old) ? props.asValue(old) : null;
      const unfinished = said === undefined && props.value === null;
      return inside.current || said === props.value || unfinished ? old : props.asTyped(props.value);
    });
  }, [props.value]);
  const take = (part: keyof Typed, words: string) => {
    const next = { ...typed, [part]: words };
    setTyped(next);
    setWrong(false);
    const value = isBegun(next) ? props.asValue(next) : null;
    if (value !== undefined && value !== props.value) props.onValue(value);
  };
  const now = () => {
    const value = props.now();
    setTyped(props.asTyped(value));
    setWrong(false);
    props.onValue(value);
  };
  const left = (e: FocusEvent) => {
    if (e.relatedTarget instanceof HTMLInputElement && (e.currentTarget as Node).contains(e.relatedTarget)) return;
    inside.current = false;
    setWrong(isBegun(typed) && props.asValue(typed) === undefined);
  };
  const described = [props.help ? id + "-help" : "", wrong ? id + "-wrong" : ""].filter(Boolean).join(" ");
  const parts: [keyof Typed, string, number][] = [["day", t("date.day"), 2], ["month", t("date.month"), 2], ["year", t("date.year"), 4]];
  if (props.withTime) parts.push(["time", t("date.time"), 5]);
  return (
    <div class={"govuk-form-group" + (wrong ? " govuk-form-group--error" : "")} onFocusIn={() => { inside.current = true; }} onFocusOut={left}>
      <fieldset class="govuk-fieldset" aria-describedby={described || undefined}>
        <legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{props.legend}</legend>
        {props.help && <div class="govuk-hint" id={id + "-help"}>{props.help}</div>}
        {wrong && <p class="govuk-error-message" id={id + "-wrong"}>{props.withTime ? t("date.wrong_time") : t("date.wrong")}</p>}
        {open ? (
          <div class="govuk-date-input when" ref={group}>
            {parts.map(([part, words, width]) => (
              <div class="govuk-date-input__item" key={part}>
                <label class="govuk-label govuk-date-input__label" for={id + part}>{words}</label>
                <input id={id + part} class={`govuk-input govuk-date-input__input govuk-input--width-${width}` + (wrong ? " govuk-input--error" : "")}
                  inputMode={part === "time" ? "text" : "numeric"} autocomplete="off" value={typed[part]} onInput={(e) => take(part, e.currentTarget.value)} />
              </div>
            ))}
            <button type="button" class="govuk-button govuk-button--secondary" onClick={now}>{props.nowWords}</button>
          </div>
        ) : (
          <div class="when">
            {props.words && <span class="when__said">{props.words}</span>}
            {!props.words && <button type="button" class="govuk-button govuk-button--secondary" onClick={now}>{props.nowWords}</button>}
            <button type="button" class="plain-button when__open" onClick={() => { opened.current = true; setOpen(true); }}>
              {props.words ? t("date.change") : props.otherWords}
            </button>
          </div>
        )}
      </fieldset>
    </div>
  );
}

function isBegun(typed: Typed): boolean {
  return Object.values(typed).some((part: string) => part.trim() !== "");
}

function partsOfDay(day: string): { day: string; month: string; year: string; time: string } {
  const [year = "", month = "", d = ""] = day.split("-");
  return { day: String(Number(d)), month: String(Number(month)), year, time: "" };
}

/** "2026-11-21", null where nothing was typed, undefined for what is no day. */
export function dayFrom(typed: { day: string; month: string; year: string }): string | undefined {
  const [day, month, year] = [typed.day, typed.month, typed.year].map((part) => part.trim()) as [string, string, string];
  if (!/^\d{1,2}$/.test(day) || !/^\d{1,2}$/.test(month) || !/^\d{4}$/.test(year)) return undefined;
  const d = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const real = d.getUTCFullYear() === Number(year) && d.getUTCMonth() === Number(month) - 1 && d.getUTCDate() === Number(day);
  return real ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : undefined;
}

/** A time of the day as people type it, "14:30", "14.30", "1430" or "2.30pm", as "14:30". */
export function clockFrom(typed: string): string | undefined {
  const found = /^(\d{1,2})[:.]?(\d{2})?\s*(am|pm)?$/i.exec(typed.trim());
  if (!found) return undefined;
  const half = found[3]?.toLowerCase(), hour = Number(found[1]), minute = Number(found[2] ?? (half ? "0" : NaN));
  if (half && (hour < 1 || hour > 12) || hour > 23 || !(minute < 60)) return undefined;
  const of24 = half ? hour % 12 + (half === "pm" ? 12 : 0) : hour;
  return `${String(of24).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

function clockOf(ms: number): string {
  const d = new Date(ms);
  return `${String(d.getHours()).padStart(2, "0")}:${String(d.getMinutes()).padStart(2, "0")}`;
}
