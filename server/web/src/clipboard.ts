/**
 * Words about people stay out of the tablet's clipboard, which every app may read and some
 * devices share: what is copied or cut here can be put in again here, until the app goes
 * out of sight. What was copied elsewhere can be put in as always.
 */
export function keepClipboardOut(): void {
  let held = "";
  const take = (e: ClipboardEvent) => {
    const words = selectedWords(e.target);
    if (words === "") return;
    e.preventDefault(); // nothing is put into the clipboard
    held = words;
    if (e.type === "cut") document.execCommand("delete");
  };
  document.addEventListener("copy", take);
  document.addEventListener("cut", take);
  document.addEventListener("paste", (e) => {
    if (held === "" || !isText(e.target)) return;
    e.preventDefault();
    document.execCommand("insertText", false, held); // as if it were typed: it can be undone
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") held = ""; });
  document.addEventListener("dragstart", (e) => e.preventDefault());
}

function isText(at: EventTarget | null): at is HTMLTextAreaElement | HTMLInputElement {
  return at instanceof HTMLTextAreaElement || at instanceof HTMLInputElement;
}

function selectedWords(at: EventTarget | null): string {
  if (isText(at)) return at.value.slice(at.selectionStart ?? 0, at.selectionEnd ?? 0);
  return document.getSelection()?.toString() ?? "";
}
