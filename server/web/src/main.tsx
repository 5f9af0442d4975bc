import { Client, type OpenState, type Session } from "@doorstep/client";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { blankOutOfSight } from "./blank";
import { keepClipboardOut } from "./clipboard";
import { DeskRoom } from "./desk";
import { useAlarms } from "./alarms";
import { Box, Loading, plain, Title } from "./parts/basic";
import { takeBack, type Back } from "./openid";
import { Enrol } from "./screens/enrol";
import { Unlock } from "./screens/unlock";
import { language, t } from "./words/words";

declare const WORKER_URL: string;
declare const WASM_URL: string;

function App(props: { client: Client; back: Back | undefined }) {
  const { client } = props;
  const [back, setBack] = useState(props.back);
  const spend = () => setBack(undefined); // what proves who somebody is, is for one use
  const [state, setState] = useState<OpenState>(client.state);
  const [session, setSession] = useState<Session | undefined>(client.session);
  const [another, setAnother] = useState(false);
  useEffect(() => client.on("state", setState), [client]);
  useEffect(() => client.on("session", setSession), [client]);
  const alarms = useAlarms(client);
  useEffect(() => {
    if (state !== "open") return;
    setAnother(false);
    document.documentElement.lang = language(); // of whoever is here now
  }, [state]);
  if (state === "open") return <DeskRoom client={client} session={session} alarms={alarms} back={back} onSpent={spend} />;
  if (state === "empty" || another) return <Enrol client={client} back={back} onSpent={spend} onBack={state === "empty" ? undefined : () => setAnother(false)} />;
  return <Unlock client={client} back={back} onSpent={spend} onAnother={() => setAnother(true)} />;
}

function Failed(props: { why: string }) {
  return (
    <main class="govuk-main-wrapper govuk-width-container" id="main">
      <Title>{t("app.failed")}</Title>
      <Box kind="risk"><p class="govuk-body">{props.why}</p></Box>
      <p class="govuk-body">{t("app.failed.help")}</p>
    </main>
  );
}

async function begin(root: HTMLElement): Promise<void> {
  document.documentElement.lang = language();
  render(<main class="govuk-main-wrapper govuk-width-container"><Loading /></main>, root);
  keepApp();
  const back = takeBack();
  try {
    const client = await Client.open({ worker: WORKER_URL, wasm: WASM_URL });
    blankOutOfSight(client);
    keepClipboardOut();
    render(<App client={client} back={back} />, root);
  } catch (e) {
    render(<Failed why={plain(e)} />, root);
  }
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Has the browser keep the app itself, for when there is no connection. */
function keepApp(): void {
  if (!("serviceWorker" in navigator)) return;
  const own = "/app/sw.js";
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  const url = policies?.createPolicy("doorstep-app", { createScriptURL: () => own }).createScriptURL(own) ?? own;
  navigator.serviceWorker.register(url, { scope: "/app/", updateViaCache: "none" }).catch(() => undefined);
}

void begin(document.getElementById("app")!);
