import type { Client } from "@doorstep/client";
import { useState } from "preact/hooks";
import { Act, Box, Input, Title } from "../parts/basic";
import { t } from "../words/words";

/** The first time of somebody on this tablet. */
export function Enrol(props: { client: Client; onBack: (() => void) | undefined }) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [name, setName] = useState<string>(t("enrol.device.default"));
  const [pin, setPin] = useState("");
  const installed = matchMedia("(display-mode: standalone)").matches;
  const enrol = () => props.client.enrol({ login, credential: { login, password }, code: code.trim(), name, unlock: { pin } });
  return (
    <main class="govuk-main-wrapper govuk-width-container" id="main">
      <Title>{t("enrol.title")}</Title>
      <p class="govuk-body-l">{t("enrol.intro")}</p>
      {!installed && <Box kind="notice"><p class="govuk-body">{t("enrol.install")}</p></Box>}
      <form onSubmit={(e) => e.preventDefault()}>
        <Input label={t("enrol.login")} value={login} onValue={setLogin} autocomplete="username" />
        <Input label={t("enrol.password")} value={password} onValue={setPassword} type="password" autocomplete="current-password" />
        <Input label={t("enrol.code")} value={code} onValue={setCode} autocomplete="one-time-code" />
        <Input label={t("enrol.device")} value={name} onValue={setName} />
        <Input label={t("enrol.pin")} help={t("enrol.pin.help")} value={pin} onValue={setPin} type="password" autocomplete="new-password" />
        <Act onAct={enrol} disabled={!login || !password || !code || pin.length < 6}>{t("enrol.go")}</Act>
      </form>
      {props.onBack && <button type="button" class="plain-button" onClick={props.onBack}>{t("nav.back")}</button>}
    </main>
  );
}
