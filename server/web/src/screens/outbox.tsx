import { useEffect, useState } from "preact/hooks";
import { useDesk, useLoaded, useNews } from "../hooks";
import { Act, Box, Loading, Title } from "../parts/basic";
import { Marks } from "../parts/where";
import { t, timeWords } from "../words/words";

/** What is only here, what became of the rest, and how safe this tablet's storage is. */
export function OutboxScreen() {
  const { client, syncedMS, lastSync } = useDesk();
  const [outbox, reload] = useLoaded(() => client.outbox(), [client]);
  const [marks, reloadMarks] = useLoaded(() => client.marks(), [client]);
  const [storage] = useLoaded(() => client.storage(), [client]);
  const [recovered, setRecovered] = useState(0);
  useEffect(() => { reload(); reloadMarks(); }, [lastSync, syncedMS]);
  useNews(reload);
  useEffect(() => client.on("recovered", (r) => setRecovered(r.changes + r.drafts)), [client]);
  if (!outbox || !marks) return <Loading />;
  return (
    <>
      <Title>{t("outbox.title")}</Title>
      {outbox.changes === 0 && outbox.drafts === 0 && <p class="govuk-body-l">{t("outbox.none")}</p>}
      {outbox.changes > 0 && <p class="govuk-body-l">{t("outbox.some", { n: outbox.changes, time: timeWords(outbox.oldest) })}</p>}
      {outbox.drafts > 0 && <p class="govuk-body">{t("outbox.drafts", { n: outbox.drafts })}</p>}
      {recovered > 0 && <Box kind="notice"><p class="govuk-body">{t("outbox.recovered", { n: recovered })}</p></Box>}
      <p class="govuk-body" role="status">{syncedMS > 0 ? t("outbox.synced", { time: timeWords(syncedMS) }) : t("outbox.never")}
        {lastSync?.refusal && " " + t("outbox.failed", { why: lastSync.refusal.plain })}</p>
      <Act onAct={() => client.sync()}>{t("outbox.sync")}</Act>
      <h2 class="govuk-heading-m">{t("outbox.marks")}</h2>
      {marks.length === 0 ? <p class="govuk-body">{t("outbox.marks.none")}</p> : <Marks marks={marks} />}
      <h2 class="govuk-heading-m">{t("outbox.storage")}</h2>
      {storage && (storage.persisted ? <p class="govuk-body">{t("outbox.persisted")}</p> : <Box kind="risk"><p class="govuk-body">{t("outbox.not_persisted")}</p></Box>)}
      {storage?.low && <Box kind="risk"><p class="govuk-body">{t("outbox.low")}</p></Box>}
    </>
  );
}
