import { useEffect, useState } from "preact/hooks";
import { useDesk } from "../hooks";
import { t } from "../words/words";
import { Act, Box, Input } from "./basic";

/** Begins a session with the server. Recording goes on without. */
export function SignIn() {
  const { client } = useDesk();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [open, setOpen] = useState(false);
  useEffect(() => { void client.people().then((p) => { if (p.length === 1) setLogin(p[0]!.login); }); }, [client]);
  return (
    <Box kind="notice" title={t("signin.title")}>
      {!open && <p class="govuk-body">{t("signin.help")} <button type="button" class="plain-button" onClick={() => setOpen(true)}>{t("signin.go")}</button></p>}
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
