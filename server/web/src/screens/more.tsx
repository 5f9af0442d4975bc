import { useId, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { Act, Title } from "../parts/basic";
import { keepPhrases, phrases } from "../phrases";
import { chooseLanguage, language, t } from "../words/words";

/** Language, quick phrases, lock and sign out. */
export function More() {
  const { client, userName } = useDesk();
  const [lines, setLines] = useState(phrases().map((p) => p.trimEnd()).join("\n"));
  const id = useId();
  return (
    <>
      <Title>{t("more.title")}</Title>
      <p class="govuk-body">{userName ? t("more.signed_in", { name: userName }) : t("more.not_signed_in")}</p>
      <div class="govuk-button-group">
        <Act onAct={() => client.lock()}>{t("more.lock")}</Act>
        <Act onAct={() => client.signOut()} kind="secondary">{t("more.sign_out")}</Act>
      </div>
      <p class="govuk-hint">{t("more.sign_out.help")}</p>
      <fieldset class="govuk-fieldset">
        <legend class="govuk-fieldset__legend govuk-fieldset__legend--m">{t("more.language")}</legend>
        <div class="govuk-radios">
          {(["en", "cy"] as const).map((l) => (
            <div class="govuk-radios__item" key={l}>
              <input class="govuk-radios__input" type="radio" name={id} id={id + l} checked={language() === l} onChange={() => chooseLanguage(l)} />
              <label class="govuk-label govuk-radios__label" for={id + l} lang={l}>{l === "en" ? "English" : "Cymraeg (yn aros am adolygiad)"}</label>
            </div>
          ))}
        </div>
      </fieldset>
      <h2 class="govuk-heading-m">{t("more.phrases")}</h2>
      <label class="govuk-hint" for={id + "p"}>{t("more.phrases.help")}</label>
      <textarea id={id + "p"} class="govuk-textarea" rows={7} value={lines} onInput={(e) => setLines(e.currentTarget.value)} />
      <Act onAct={() => keepPhrases(lines)} kind="secondary">{t("more.phrases.save")}</Act>
    </>
  );
}
