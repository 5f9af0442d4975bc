import { newID, usePasskey, type Client, type Person } from "@doorstep/client";
import { useEffect, useId, useState } from "preact/hooks";
import { useLoaded } from "../hooks";
import { quiet } from "../form/quiet";
import { Act, Box, Input, Loading, plain, Title } from "../parts/basic";
import { saveFile } from "../parts/save";
import { leaveToSignIn, useOpenID, type Back } from "../openid";
import { arrive } from "../route";
import { t, timeWords } from "../words/words";

/** Who is here, and their PIN. Several people may share a tablet, each with a store of their own. */
export function Unlock(props: { client: Client; back: Back | undefined; onSpent: () => void; onAnother: () => void }) {
  const { client } = props;
  const [people, reload] = useLoaded(() => client.people(), [client]);
  const [chosen, setChosen] = useState<string>();
  const name = useId();
  if (!people) return <main class="govuk-main-wrapper govuk-width-container" id="main"><Loading /></main>;
  const person = people.find((p) => p.store === chosen) ?? (people.length === 1 ? people[0] : undefined);
  return (
    <main class="govuk-main-wrapper govuk-width-container" id="main">
      <Title>{t("unlock.title")}</Title>
      {people.length > 1 && (
        <fieldset class="govuk-fieldset">
          <legend class="govuk-visually-hidden">{t("unlock.title")}</legend>
          <div class="govuk-radios">
            {people.map((p) => (
              <div class="govuk-radios__item" key={p.store}>
                <input class="govuk-radios__input" type="radio" name={name} id={name + p.store} checked={person === p} onChange={() => setChosen(p.store)} />
                <label class="govuk-label govuk-radios__label" for={name + p.store}>{p.destroyed ? t("unlock.destroyed.name", { name: p.login }) : p.login}</label>
              </div>
            ))}
          </div>
        </fieldset>
      )}
      {person && !person.destroyed && <Pin key={person.store} client={client} person={person} back={props.back} onSpent={props.onSpent} onTried={reload} />}
      {person?.destroyed && <Destroyed key={person.store} client={client} person={person} />}
      <button type="button" class="plain-button" onClick={props.onAnother}>{t("enrol.another")}</button>
    </main>
  );
}

/** After ten wrong PINs: nobody opens the store any more, and what was not sent waits for two officers. */
function Destroyed(props: { client: Client; person: Person }) {
  const { client, person } = props;
  return (
    <>
      <Box kind="risk" title={t("unlock.destroyed.title")}>
        <p class="govuk-body">{t("unlock.destroyed")}</p>
        <Sealed client={client} person={person} />
        <p class="govuk-body">{t("unlock.destroyed.again")}</p>
      </Box>
      <Note client={client} person={person} />
    </>
  );
}

/** What is locked away for the borough, to be taken off the tablet by whoever services it. */
function Sealed(props: { client: Client; person: Person }) {
  const { client, person } = props;
  const [sealed, reload] = useLoaded(() => client.sealed(person.store), [client, person.store]);
  if (!sealed) return <Loading />;
  if (sealed.items === 0) return <p class="govuk-body">{t("unlock.sealed.none")}</p>;
  const save = async () => {
    const now = await client.sealed(person.store);
    saveFile("doorstep-outbox.sealed", now.file);
    reload();
  };
  return (
    <>
      <p class="govuk-body">{t("unlock.sealed", { n: sealed.items })}</p>
      <Act kind="secondary" onAct={save}>{t("unlock.sealed.save")}</Act>
    </>
  );
}

/** What somebody must write down while nothing can be opened: for the borough, and not to be read here again. */
function Note(props: { client: Client; person: Person }) {
  const { client, person } = props;
  const [note, setNote] = useState<string>();
  const [text, setText] = useState("");
  const [state, setState] = useState("");
  const id = useId();
  if (!note) {
    return (
      <>
        {state && <p class="govuk-body" role="status">{state}</p>}
        <button type="button" class="plain-button" onClick={() => setNote(newID())}>{t("note.begin")}</button>
      </>
    );
  }
  const write = (now: string) => {
    setText(now);
    setState(t("record.saving"));
    client.writeNote(person.store, note, now).then(() => setState(t("record.saved", { time: timeWords(Date.now()) })), (e: unknown) => setState(t("record.notsaved", { why: plain(e) })));
  };
  const putAway = async () => {
    if (text !== "") await client.writeNote(person.store, note, text);
    setNote(undefined);
    setText("");
    setState(text !== "" ? t("note.kept") : "");
  };
  return (
    <section>
      <label class="govuk-label govuk-label--s" for={id}>{t("note.label")}</label>
      <div class="govuk-hint" id={id + "-help"}>{t("note.help")}</div>
      <textarea id={id} class="govuk-textarea" rows={8} value={text} {...quiet} aria-describedby={id + "-help"} onInput={(e) => write(e.currentTarget.value)} />
      <p class="field-state" role="status">{state}</p>
      <Act onAct={putAway}>{t("note.done")}</Act>
    </section>
  );
}

function Pin(props: { client: Client; person: Person; back: Back | undefined; onSpent: () => void; onTried: () => void }) {
  const { client, person } = props;
  const [pin, setPin] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => document.querySelector<HTMLInputElement>("input[type=password]")?.focus(), []);
  const service = useOpenID(client);
  const proved = typeof props.back === "object" ? props.back.credential : undefined;
  const credential = person.lapsed ? proved ?? { login: person.login, password } : undefined;
  const byPasskey = person.unlock === "passkey";
  const open = async () => {
    arrive(person.store);
    try {
      await client.unlock(person.store, byPasskey ? await usePasskey(person.passkey!) : { pin }, credential);
    } finally {
      setPin("");
      if (person.lapsed && proved) props.onSpent();
      props.onTried();
    }
  };
  return (
    <form onSubmit={(e) => { e.preventDefault(); }}>
      {person.lapsed && <Box kind="notice"><p class="govuk-body">{t(person.triesLeft === 0 ? "unlock.toomany" : person.asksAlways ? "unlock.asks" : "unlock.lapsed")}</p></Box>}
      {byPasskey
        ? <p class="govuk-body">{t("unlock.passkey", { name: person.login })}</p>
        : <Input label={t("unlock.pin", { name: person.login })} value={pin} onValue={setPin} type="password" autocomplete="current-password" />}
      {props.back === "failed" && <p class="govuk-error-message" role="alert">{t("openid.failed")}</p>}
      {proved && <Box kind="notice"><p class="govuk-body">{t("openid.proved")}</p></Box>}
      {person.lapsed && service && !proved && <><Act onAct={() => leaveToSignIn(client)}>{t("openid.go")}</Act><p class="govuk-body">{t("openid.or")}</p></>}
      {person.lapsed && !proved && <Input label={t("enrol.password")} value={password} onValue={setPassword} type="password" autocomplete="current-password" />}
      {person.triesLeft !== undefined && person.triesLeft > 0 && person.triesLeft < 10 && <p class="govuk-body">{t("unlock.tries", { n: person.triesLeft })}</p>}
      <Act onAct={open} disabled={!byPasskey && pin.length < 6}>{t("unlock.go")}</Act>
      {person.lapsed && <Sealed client={client} person={person} />}
      {person.lapsed && <Note client={client} person={person} />}
    </form>
  );
}
