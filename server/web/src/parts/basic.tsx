import { Refusal } from "@doorstep/client";
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { whyWords } from "../words/refusals";
import { t } from "../words/words";

/** What went wrong, in words for the person; never a stack. */
export function plain(e: unknown): string {
  return e instanceof Refusal ? whyWords(e) : t("app.failed");
}

/** A button that is busy until its promise is done, and says why it failed. */
export function Act(props: { onAct: () => Promise<unknown> | void; children: ComponentChildren; kind?: "secondary" | "warning" | ""; disabled?: boolean }) {
  const [busy, setBusy] = useState(false);
  const [why, setWhy] = useState("");
  const act = async () => {
    setBusy(true);
    setWhy("");
    try {
      await props.onAct();
    } catch (e) {
      setWhy(plain(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="act">
      {why && <p class="govuk-error-message" role="alert">{why}</p>}
      <button type="button" class={"govuk-button" + (props.kind ? ` govuk-button--${props.kind}` : "")}
        disabled={busy || props.disabled} aria-busy={busy} onClick={() => void act()}>
        {props.children}
      </button>
    </div>
  );
}

export function Input(props: { label: string; help?: string; value: string; onValue: (v: string) => void; type?: "text" | "password"; autocomplete?: string;
  wide?: boolean }) {
  const id = useId();
  return (
    <div class="govuk-form-group">
      <label class="govuk-label" for={id}>{props.label}</label>
      {props.help && <div id={id + "-help"} class="govuk-hint">{props.help}</div>}
      <input id={id} class={"govuk-input" + (props.wide ? "" : " govuk-input--width-20")} type={(props.type ?? "text") as "text"} value={props.value}
        aria-describedby={props.help ? id + "-help" : undefined} autocomplete={props.autocomplete ?? "off"} autocapitalize="none" spellcheck={false}
        onInput={(e) => props.onValue(e.currentTarget.value)} />
    </div>
  );
}

/** Words that matter, in a box: a risk is red, a notice is blue. */
export function Box(props: { kind: "risk" | "notice" | "ask" | "conflict"; title?: string; children: ComponentChildren; live?: boolean }) {
  return (
    <section class={"box box--" + props.kind} role={props.live ? "status" : undefined}>
      {props.title && <h2 class="govuk-heading-s">{props.title}</h2>}
      {props.children}
    </section>
  );
}

export function Title(props: { children: ComponentChildren; caption?: string }) {
  return (
    <h1 class="govuk-heading-l">
      {props.caption && <span class="govuk-caption-l">{props.caption}</span>}
      {props.children}
    </h1>
  );
}

export function Back(props: { to: string; label?: string }) {
  return <a class="govuk-back-link" href={props.to}>{props.label ?? t("nav.back")}</a>;
}

export function Loading() {
  return <p class="govuk-body" role="status">{t("app.loading")}</p>;
}
