import { tabletKey } from "../facts";
import type { Attribution, Capture, Path, RecordID, Source } from "@doorstep/client";
import { useCallback, useEffect, useState } from "preact/hooks";
import { useDesk, useNews } from "../hooks";
import { byLine, type Lookup } from "../look";
import { plain } from "../parts/basic";
import { t } from "../words/words";

interface Props {
  look: Lookup;
  record: RecordID;
  path: Path;
  label: string;
}

/** Who wrote which words of a text, worked out on the tablet when somebody asks, and as long as they look. */
export function WhoWrote(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details class="phrases who" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t("who.title")}<span class="govuk-visually-hidden">: {props.label}</span></summary>
      {open && <Written {...props} />}
    </details>
  );
}

function Written(props: Props) {
  const { client } = useDesk();
  const { look, record, path } = props;
  const [who, setWho] = useState<Attribution>();
  const [failed, setFailed] = useState("");
  const load = useCallback(() => {
    client.attribution(record).then((a) => (setWho(a), setFailed("")), (e: unknown) => setFailed(plain(e)));
  }, [client, record]);
  useEffect(load, [load]);
  useNews(load, (e) => e.record === record);
  if (failed) return <p class="govuk-error-message" role="alert">{failed}</p>;
  if (!who) return <p class="govuk-hint" role="status">{t("app.loading")}</p>;
  const text = who.texts.find((x) => x.path.field === path.field && x.path.element === path.element && x.path.sub === path.sub);
  if (!text) return <p class="govuk-hint">{t("who.nobody")}</p>;
  const points = [...text.text], by = (i: number) => sourceWords(look, who.sources[i]!);
  return (
    <>
      <ol class="entries who__spans">
        {text.spans.map((s) => (
          <li key={s.start} class="entry"><p class="text">{points.slice(s.start, s.end).join("")}</p><p class="entry__by">{by(s.by)}</p></li>
        ))}
      </ol>
      {text.deleted.length > 0 && <h4 class="govuk-heading-s">{t("who.deleted")}</h4>}
      <ol class="entries who__gone">
        {text.deleted.map((d, i) => (
          <li key={i} class="entry">
            <p class="text"><del>{d.text}</del></p>
            <p class="entry__by">{by(d.by)}</p>
            {d.deletedBy.map((n) => <p key={n} class="entry__by">{t("who.deleted.by", { who: by(n) })}</p>)}
          </li>
        ))}
      </ol>
    </>
  );
}

/** Whose a change is: who, when by their tablet's clock, on which device, and how it was taken down. */
function sourceWords(look: Lookup, s: Source): string {
  return [byLine(look, s), deviceWords(look, s), captureWords(s.capture)].join(", ");
}

function deviceWords(look: Lookup, s: Source): string {
  if (s.here) return t("who.here");
  const name = look.names.get(tabletKey(s.device));
  return name ? t("who.tablet", { name }) : t("who.elsewhere");
}

function captureWords(how: Capture): string {
  return t(`capture.${how}`);
}
