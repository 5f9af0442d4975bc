import type { Client } from "@doorstep/client";

/** How long the app may be out of sight before it asks for the PIN again. */
const lockAfterMS = 15 * 60_000;

/**
 * Blanks the page while it is out of sight, so that no picture of it stays in the app
 * switcher, and locks it if that lasts. What was typed is on the disk already.
 */
export function blankOutOfSight(client: Client): void {
  let since = 0;
  document.addEventListener("visibilitychange", () => {
    const hidden = document.visibilityState === "hidden";
    document.documentElement.classList.toggle("blank", hidden);
    if (hidden) since = Date.now();
    else if (since > 0 && Date.now() - since > lockAfterMS && client.state === "open") void client.lock();
  });
}
