import type { Client, Person } from "@doorstep/client";
import { useEffect, useId, useState } from "preact/hooks";
import { useLoaded } from "../hooks";
import { Act, Box, Input, Loading, Title } from "../parts/basic";
import { saveFile } from "../parts/save";
import { t } from "../words/words";

/** Who is here, and their PIN. Several people may share a tablet, each with a store of their own. */
export function Unlock(props: { client: Client; onAnother: () => void }) {
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
                <label class="govuk-label govuk-radios__label" for={name + p.store}>{p.login}</label>
              </div>
            ))}
          </div>
        </fieldset>
      )}
      {person && !person.destroyed && <Pin key={person.store} client={client} person={person} onTried={reload} />}
      {person?.destroyed && <Destroyed key={person.store} client={client} person={person} />}
      <button type="button" class="plain-button" onClick={props.onAnother}>{t("enrol.another")}</button>
    </main>
  );
}

/** After ten wrong PINs: nobody opens the store any more, and what was not sent waits for two officers. */
function Destroyed(props: { client: Client; person: Person }) {
  const { client, person } = props;
  const [sealed] = useLoaded(() => client.sealed(person.store), [client, person.store]);
  if (!sealed) return <Loading />;
  return (
    <Box kind="risk" title={t("unlock.destroyed.title")}>
      <p class="govuk-body">{t("unlock.destroyed")}</p>
      <p class="govuk-body">{sealed.items > 0 ? t("unlock.destroyed.unsent", { n: sealed.items }) : t("unlock.destroyed.none")}</p>
      {sealed.items > 0 && <Act kind="secondary" onAct={() => saveFile("doorstep-outbox.sealed", sealed.file)}>{t("unlock.destroyed.save")}</Act>}
      <p class="govuk-body">{t("unlock.destroyed.again")}</p>
    </Box>
  );
}

function Pin(props: { client: Client; person: Person; onTried: () => void }) {
  const { client, person } = props;
  const [pin, setPin] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => document.querySelector<HTMLInputElement>("input[type=password]")?.focus(), []);
  const credential = person.lapsed ? { login: person.login, password } : undefined;
  const open = async () => {
    try {
      await client.unlock(person.store, { pin }, credential);
    } finally {
      setPin("");
      props.onTried();
    }
  };
  return (
    <form onSubmit={(e) => { e.preventDefault(); }}>
      {person.lapsed && <Box kind="notice"><p class="govuk-body">{t(person.triesLeft === 0 ? "unlock.toomany" : "unlock.lapsed")}</p></Box>}
      <Input label={t("unlock.pin", { name: person.login })} value={pin} onValue={setPin} type="password" autocomplete="current-password" />
      {person.lapsed && <Input label={t("enrol.password")} value={password} onValue={setPassword} type="password" autocomplete="current-password" />}
      {person.triesLeft !== undefined && person.triesLeft > 0 && person.triesLeft < 10 && <p class="govuk-body">{t("unlock.tries", { n: person.triesLeft })}</p>}
      <Act onAct={open} disabled={pin.length < 6}>{t("unlock.go")}</Act>
    </form>
  );
}
