import type { Mark } from "@doorstep/client";
import { useEffect } from "preact/hooks";
import { useDesk, useLoaded, useNews, usePart, useRecord } from "../hooks";
import { capital, recordTitle } from "../look";
import { Act, Box, Loading, Title } from "../parts/basic";
import { Marks } from "../parts/where";
import { familyName } from "./today";
import { whyWords } from "../words/refusals";
import { link } from "../route";
import { t, timeWords } from "../words/words";

/** What is only here, what became of the rest, and how safe this tablet's storage is. */
export function OutboxScreen() {
  const { client, syncedMS, lastSync } = useDesk();
  const [outbox, reload] = useLoaded(() => client.outbox(), [client]);
  const [marks, reloadMarks] = useLoaded(() => client.marks(), [client]);
  const [storage] = useLoaded(() => client.storage(), [client]);
  useEffect(() => { reload(); reloadMarks(); }, [lastSync, syncedMS]);
  useNews(reload);
  if (!outbox || !marks) return <Loading />;
  return (
    <>
      <Title>{t("outbox.title")}</Title>
      {outbox.changes === 0 && outbox.drafts === 0 && <p class="govuk-body-l">{t("outbox.none")}</p>}
      {outbox.changes > 0 && <p class="govuk-body-l">{t("outbox.some", { n: outbox.changes, time: timeWords(outbox.oldest) })}</p>}
      {outbox.drafts > 0 && <p class="govuk-body">{t("outbox.drafts", { n: outbox.drafts })}</p>}
      <p class="govuk-body" role="status">{syncedMS > 0 ? t("outbox.synced", { time: timeWords(syncedMS) }) : t("outbox.never")}
        {lastSync?.refusal && " " + t("outbox.failed", { why: whyWords(lastSync.refusal) })}</p>
      <Act onAct={() => client.sync()}>{t("outbox.sync")}</Act>
      <h2 class="govuk-heading-m">{t("outbox.marks")}</h2>
      {marks.length === 0 ? <p class="govuk-body">{t("outbox.marks.none")}</p> : <Marks marks={marks} of={(m) => <MarkedRecord mark={m} />} />}
      <h2 class="govuk-heading-m">{t("outbox.storage")}</h2>
      {storage && (storage.persisted ? <p class="govuk-body">{t("outbox.persisted")}</p> : <Box kind="risk"><p class="govuk-body">{t("outbox.not_persisted")}</p></Box>)}
      {storage?.low && <Box kind="risk"><p class="govuk-body">{t("outbox.low")}</p></Box>}
    </>
  );
}

/** Which record words belong to, as far as it may still be read here. */
function MarkedRecord(props: { mark: Mark }) {
  const [view, failed] = useRecord(props.mark.record);
  const look = usePart(view?.family);
  if (failed !== undefined && !view) return <p class="govuk-body">{t("marks.gone")}</p>;
  if (!view || !look?.whole) return null;
  return <p class="govuk-body"><a href={link("record", view.record)}>{familyName(look)}: {capital(recordTitle(look, view))}</a></p>;
}
