import type { Client, Kind, Session, SyncReport } from "@doorstep/client";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { AlarmBoxes, type Alarms } from "./alarms";
import { useFacts, useSynced } from "./facts";
import { Files } from "./files";
import { DeskContext, type Desk } from "./hooks";
import { useLabelled } from "./labels";
import type { Back } from "./openid";
import { Box, Loading } from "./parts/basic";
import { Fallible } from "./parts/fallible";
import { SignIn } from "./parts/signin";
import { link, useRoute } from "./route";
import { FamilyScreen } from "./screens/family";
import { More } from "./screens/more";
import { OutboxScreen } from "./screens/outbox";
import { PlanCopy } from "./screens/plan";
import { BeginScreen, RecordScreen } from "./screens/record";
import { Show } from "./screens/show";
import { Today } from "./screens/today";
import { formTexts, inWords, said } from "./words/kinds";
import { language, t } from "./words/words";

/** The app once somebody is here: every screen, and what they share. */
export function DeskRoom(props: { client: Client; session: Session | undefined; alarms: Alarms; back: Back | undefined; onSpent: () => void }) {
  const { client, session } = props;
  const desk = useDeskOf(client, session);
  const path = useRoute();
  if (!desk) return <main class="govuk-main-wrapper govuk-width-container"><Loading /></main>;
  const [place = "today", id = "", more = "", last = ""] = path;
  const bare = place === "show" || place === "plan";
  return (
    <DeskContext.Provider value={desk}>
      {bare ? <main id="main" tabIndex={-1}>{place === "show" ? <Show record={id} /> : <PlanCopy record={id} />}</main> : (
        <Frame place={place} signedIn={session !== undefined} alarms={props.alarms} back={props.back} onSpent={props.onSpent}>
          <Fallible key={path.join("/")}><Screen place={place} id={id} more={more} last={last} /></Fallible>
        </Frame>
      )}
    </DeskContext.Provider>
  );
}

function Screen(props: { place: string; id: string; more: string; last: string }) {
  switch (props.place) {
    case "family": return <FamilyScreen family={props.id} />;
    case "record": return <RecordScreen record={props.id} field={props.more} />;
    case "begin": return <BeginScreen record={props.id} kind={props.more} family={props.last} />;
    case "outbox": return <OutboxScreen />;
    case "more": return <More />;
    default: return <Today />;
  }
}

function useDeskOf(client: Client, session: Session | undefined): Desk | undefined {
  const [known, setKnown] = useState<Kind[]>();
  const files = useMemo(() => new Files(client), [client]);
  useEffect(() => files.follow(), [files]);
  const [online, setOnline] = useState(navigator.onLine);
  const kinds = useLabelled(client, known, online);
  const [lastSync, setLastSync] = useState<SyncReport>();
  const syncedMS = useSynced(client);
  const facts = useFacts(client, syncedMS, online);
  const [names, setNames] = useState(new Map<string, string>());
  const [who, setWho] = useState(session);
  useEffect(() => { if (session) setWho(session); }, [session]);
  const [texts, setTexts] = useState({});
  useEffect(() => {
    void Promise.all([client.kinds(), formTexts()]).then(([found, words]) => {
      setTexts(words);
      setKnown(inWords(found, words));
    });
  }, [client]);
  const say = useCallback((english: string) => said(texts, english), [texts]);
  useEffect(() => client.on("sync", setLastSync), [client]);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => { removeEventListener("online", look); removeEventListener("offline", look); };
  }, []);
  const learn = useCallback((found: { [user: string]: string }) => {
    setNames((old) => Object.keys(found).every((u) => old.get(u) === found[u]) ? old : new Map([...old, ...Object.entries(found)]));
  }, []);
  useEffect(() => { if (facts) learn(facts.names); }, [facts, learn]);
  return useMemo(() => kinds && {
    client, files, kinds, say, online, lastSync, syncedMS, facts, names, learn,
    user: who?.user ?? "", userName: who?.name ?? "", role: who?.role ?? "",
  }, [client, files, kinds, say, online, lastSync, syncedMS, facts, names, learn, who]);
}

const places = ["today", "outbox", "more"] as const;

function Frame(props: { place: string; signedIn: boolean; alarms: Alarms; back: Back | undefined; onSpent: () => void; children: ComponentChildren }) {
  return (
    <>
      <a href="#main" class="govuk-skip-link" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>{t("app.skip")}</a>
      <header class="masthead">
        <div class="govuk-width-container masthead__inner">
          <a class="masthead__name" href={link("today")}>{t("app.name")}</a>
          <nav class="masthead__nav" aria-label={t("nav.label")}>
            {places.map((p) => <a key={p} href={link(p)} aria-current={props.place === p ? "page" : undefined}>{t(`nav.${p}`)}</a>)}
          </nav>
        </div>
      </header>
      <div class="govuk-width-container">
        {language() === "cy" && <p class="govuk-body-s awaiting">{t("app.awaiting_review")}</p>}
        <AlarmBoxes alarms={props.alarms} />
        <Connection signedIn={props.signedIn} back={props.back} onSpent={props.onSpent} />
        <main class="govuk-main-wrapper" id="main" tabIndex={-1}>{props.children}</main>
      </div>
    </>
  );
}

function Connection(props: { signedIn: boolean; back: Back | undefined; onSpent: () => void }) {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => { removeEventListener("online", look); removeEventListener("offline", look); };
  }, []);
  if (!online) return <Box kind="notice" live><p class="govuk-body">{t("offline")}</p></Box>;
  if (!props.signedIn) return <SignIn back={props.back} onSpent={props.onSpent} />;
  return null;
}
