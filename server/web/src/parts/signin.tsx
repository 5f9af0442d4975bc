import { useEffect, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { leaveToSignIn, useOpenID, type Back } from "../openid";
import { t } from "../words/words";
import { Act, Box, Input, plain } from "./basic";

/** Begins a session with the server. Recording goes on without. */
export function SignIn(props: { back: Back | undefined; onSpent: () => void }) {
  const { client } = useDesk();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState("");
  const service = useOpenID(client);
  useEffect(() => { void client.people().then((p) => { if (p.length === 1) setLogin(p[0]!.login); }); }, [client]);
  useEffect(() => {
    if (!props.back) return;
    if (props.back === "failed") setWhy(t("openid.failed"));
    else client.signIn(props.back.credential).catch((e: unknown) => setWhy(plain(e)));
    props.onSpent();
  }, [props.back]);
  return (
    <Box kind="notice" title={t("signin.title")}>
      {why && <p class="govuk-error-message" role="alert">{why}</p>}
      {!open && <p class="govuk-body">{t("signin.help")} <button type="button" class="plain-button" onClick={() => setOpen(true)}>{t("signin.go")}</button></p>}
      {open && service && <ByService />}
      {open && (
        <form onSubmit={(e) => e.preventDefault()}>
          <Input label={t("enrol.login")} value={login} onValue={setLogin} autocomplete="username" />
          <Input label={t("enrol.password")} value={password} onValue={setPassword} type="password" autocomplete="current-password" />
          <Act onAct={() => client.signIn({ login, password })}>{t("signin.go")}</Act>
        </form>
      )}
    </Box>
  );
}

function ByService() {
  const { client } = useDesk();
  return (
    <>
      <p class="govuk-body">{t("openid.locks")}</p>
      <Act onAct={() => leaveToSignIn(client)}>{t("openid.go")}</Act>
      <p class="govuk-body">{t("openid.or")}</p>
    </>
  );
}
