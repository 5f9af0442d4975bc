import { useDesk } from "../hooks";
import { t, timeWords } from "../words/words";
import { Box } from "./basic";

/** From when on a copy is called old, and how long it counts as just compared. */
const oldMS = 24 * 60 * 60_000, freshMS = 15 * 60_000;

/** Whether nothing was exchanged with the server for so long that others may have written much. */
export function isOld(syncedMS: number, now = Date.now()): boolean {
  return now - syncedMS > oldMS;
}

/** How old what this tablet shows may be: a line, or a box where it must not be overlooked. */
export function Age() {
  const { syncedMS } = useDesk();
  if (syncedMS === 0) return <Box kind="risk"><p class="govuk-body">{t("copy.age.unknown")}</p></Box>;
  const time = timeWords(syncedMS);
  if (isOld(syncedMS)) return <Box kind="risk"><p class="govuk-body"><strong>{t("copy.age.old", { time })}</strong></p></Box>;
  return <p class="govuk-body-s">{t(Date.now() - syncedMS < freshMS ? "copy.age.fresh" : "copy.age.some", { time })}</p>;
}
