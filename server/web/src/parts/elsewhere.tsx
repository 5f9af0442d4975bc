import { beginRecord } from "../begin";
import { filesElsewhere, type File } from "../facts";
import { useDesk, useFamilies } from "../hooks";
import { capital, kindOf, type Lookup } from "../look";
import { go } from "../route";
import { t } from "../words/words";
import { Act } from "./basic";

/** What is begun here and kept by the borough alone, such as the personal part of supervision. */
export function Elsewhere() {
  const { facts } = useDesk();
  const files = filesElsewhere(facts, useFamilies());
  if (files.length === 0) return null;
  return (
    <section>
      <h2 class="govuk-heading-m">{t("today.elsewhere")}</h2>
      <p class="govuk-hint">{t("today.elsewhere.help")}</p>
      <ul class="records">
        {files.map((f) => <li key={f.family}><OneFile file={f} /></li>)}
      </ul>
    </section>
  );
}

function OneFile(props: { file: File }) {
  const { client, kinds, names, user } = useDesk();
  const { file } = props;
  const look: Lookup = { views: new Map(), kinds, names, user, whole: true };
  const name = file.name || t("family.unnamed");
  const begin = async (kind: string) => go(...await beginRecord(client, look, file.family, kind));
  return (
    <>
      <strong>{name}</strong>
      {file.kinds.filter((k) => kindOf(look, k)).map((k) => (
        <Act key={k} kind="secondary" onAct={() => begin(k)}>{capital(kindOf(look, k)!.name)}<span class="govuk-visually-hidden">: {name}</span></Act>
      ))}
    </>
  );
}
