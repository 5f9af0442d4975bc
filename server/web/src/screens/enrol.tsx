import { canUsePasskey, newPasskey, type Client } from "@doorstep/client";
import { useEffect, useId, useState } from "preact/hooks";
import { leaveToSignIn, useOpenID, type Back } from "../openid";
import { Act, Box, Input, Title } from "../parts/basic";
import { arrive } from "../route";
import { t } from "../words/words";

/** The first time of somebody on this tablet. */
export function Enrol(props: { client: Client; back: Back | undefined; onSpent: () => void; onBack: (() => void) | undefined }) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [name, setName] = useState<string>(t("enrol.device.default"));
  const [pin, setPin] = useState("");
  const installed = matchMedia("(display-mode: standalone)").matches;
  const [can, setCan] = useState(false);
  const [byPasskey, setByPasskey] = useState(false);
  const means = useId();
  useEffect(() => { void canUsePasskey().then(setCan); }, []);
  const service = useOpenID(props.client);
  const proved = typeof props.back === "object" ? props.back.credential : undefined;
  const enrol = async () => {
    const unlock = byPasskey ? await newPasskey(login) : { pin };
    try {
      await props.client.enrol({ login, credential: proved ?? { login, password }, code: code.trim(), name, unlock });
    } finally {
      if (proved) props.onSpent();
    }
    const mine = (await props.client.people()).filter((p) => p.login === login).at(-1);
    if (mine) arrive(mine.store);
  };
  return (
    <main class="govuk-main-wrapper govuk-width-container" id="main">
      <Title>{t("enrol.title")}</Title>
      <p class="govuk-body-l">{t("enrol.intro")}</p>
      {!installed && <Box kind="notice"><p class="govuk-body">{t("enrol.install")}</p></Box>}
      {props.back === "failed" && <p class="govuk-error-message" role="alert">{t("openid.failed")}</p>}
      {proved && <Box kind="notice"><p class="govuk-body">{t("openid.proved")}</p></Box>}
      {service && !proved && <><Act onAct={() => leaveToSignIn(props.client)}>{t("openid.go")}</Act><p class="govuk-body">{t("openid.or")}</p></>}
      <form onSubmit={(e) => e.preventDefault()}>
        <Input label={t(proved ? "openid.name" : "enrol.login")} value={login} onValue={setLogin} autocomplete="username" />
        {!proved && <Input label={t("enrol.password")} value={password} onValue={setPassword} type="password" autocomplete="current-password" />}
        <Input label={t("enrol.code")} value={code} onValue={setCode} autocomplete="one-time-code" />
        <Input label={t("enrol.device")} value={name} onValue={setName} />
        {can && (
          <fieldset class="govuk-fieldset">
            <legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{t("enrol.means")}</legend>
            <div class="govuk-radios">
              {[false, true].map((passkey) => (
                <div class="govuk-radios__item" key={String(passkey)}>
                  <input class="govuk-radios__input" type="radio" name={means} id={means + String(passkey)} checked={byPasskey === passkey} onChange={() => setByPasskey(passkey)} />
                  <label class="govuk-label govuk-radios__label" for={means + String(passkey)}>{t(passkey ? "enrol.means.passkey" : "enrol.means.pin")}</label>
                </div>
              ))}
            </div>
          </fieldset>
        )}
        {!byPasskey && <Input label={t("enrol.pin")} help={t("enrol.pin.help")} value={pin} onValue={setPin} type="password" autocomplete="new-password" />}
        <Act onAct={enrol} disabled={!login || !proved && !password || !code || !byPasskey && pin.length < 6}>{t("enrol.go")}</Act>
      </form>
      {props.onBack && <button type="button" class="plain-button" onClick={props.onBack}>{t("nav.back")}</button>}
    </main>
  );
}
