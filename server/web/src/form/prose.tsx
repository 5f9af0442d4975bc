import type { Capture, Path, RecordID, TextField } from "@doorstep/client";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { plain } from "../parts/basic";
import { phrases } from "../phrases";
import { t } from "../words/words";
import { quiet } from "./quiet";
import { Said } from "./said";

/** How tall a text is before it has many words: several are on one screen. */
const fewRows = 3;

/** What a browser says of an input that came from its own dictation. */
const spoken = /dictat/i;

/**
 * A large plain text that survives anything: each keystroke goes to the tablet's own
 * disk, and is called saved only once it is there. What colleagues write meanwhile
 * comes in without moving the caret from its word.
 */
export function Prose(props: { record: RecordID; path: Path; label: string; help?: string; needed?: boolean; before?: () => Promise<unknown> }) {
  const { client } = useDesk();
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const field = useRef<TextField | undefined>(undefined);
  const [ready, setReady] = useState(false);
  const state = useRef<HTMLSpanElement>(null);
  const [said] = useState(() => new Said(() => state.current));
  const [dictating, setDictating] = useState(false);
  const place = JSON.stringify(props.path);

  useEffect(() => {
    let left = false, stop = () => {};
    client.text(props.record, props.path).then((opened) => {
      if (left) return void opened.close();
      field.current = opened;
      if (area.current) area.current.value = opened.value;
      grow(area.current);
      stop = opened.onChange((value, move) => follow(area.current, value, move));
      setReady(true);
    }, (e: unknown) => said.say(t("record.notsaved", { why: plain(e) })));
    return () => {
      left = true;
      stop();
      void field.current?.close();
      field.current = undefined;
    };
  }, [client, props.record, place]);

  const take = (value: string, capture: Capture) => {
    said.typed();
    field.current?.input(value, capture).then(
      () => { if (field.current?.unsaved === 0) said.saved(); },
      (e: unknown) => said.say(t("record.notsaved", { why: plain(e) })),
    );
  };
  const typed = (e: Event) => {
    const el = e.currentTarget as HTMLTextAreaElement;
    grow(el);
    const said = dictating || spoken.test((e as InputEvent).inputType ?? "");
    take(el.value, said ? "dictated" : "typed");
  };
  const begin = (phrase: string) => {
    const el = area.current;
    if (!el) return;
    el.setRangeText(phrase, el.selectionStart, el.selectionEnd, "end");
    el.focus();
    grow(el);
    take(el.value, "typed");
  };

  return (
    <div class="govuk-form-group prose">
      <label class="govuk-label govuk-label--s" for={id}>{props.label}{props.needed && <span class="needed"> ({t("record.needed")})</span>}</label>
      {props.help && <div class="govuk-hint" id={id + "-help"}>{props.help}</div>}
      <textarea ref={area} id={id} class="govuk-textarea" rows={fewRows} readOnly={!ready} {...quiet} onInput={typed}
        aria-describedby={(props.help ? id + "-help " : "") + id + "-state"} />
      <div class="prose__tools">
        <span id={id + "-state"} ref={state} class="prose__state" role="status" />
        <label class="prose__dictating">
          <input type="checkbox" checked={dictating} onChange={(e) => setDictating(e.currentTarget.checked)} /> {t("record.dictating")}
        </label>
      </div>
      <details class="phrases">
        <summary>{t("record.phrases")}</summary>
        <div class="phrases__list">
          {phrases().map((p) => <button key={p} type="button" class="phrase" disabled={!ready} onClick={() => begin(p)}>{p}</button>)}
        </div>
      </details>
    </div>
  );
}

function follow(el: HTMLTextAreaElement | null, value: string, move: (offset: number) => number): void {
  if (!el) return;
  const from = move(el.selectionStart), to = move(el.selectionEnd), had = document.activeElement === el;
  el.value = value;
  grow(el);
  if (had) el.setSelectionRange(from, to);
}

/** As tall as its words, so that nobody scrolls inside a scrolling page. */
function grow(el: HTMLTextAreaElement | null): void {
  if (!el) return;
  el.rows = Math.min(40, Math.max(fewRows, Math.ceil(el.value.length / 48) + el.value.split("\n").length));
}
