// Holds pages to Lighthouse's audits of accessibility and of best practices, in one
// browser: what the scripts for the app and for the desk share. Prints one JSON value a
// page.
import { navigation, snapshot } from "lighthouse";
import puppeteer from "puppeteer-core";

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium", defaultViewport: null,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-background-networking", "--disable-sync",
    "--disable-dev-shm-usage", "--lang=en-GB", "--accept-lang=en-GB", "--window-size=820,1180"],
});
export const page = (await browser.pages())[0];
const settings = { screenEmulation: { disabled: true }, throttlingMethod: "provided", formFactor: "mobile" };
const options = {
  flags: { onlyCategories: ["accessibility", "best-practices"], disableStorageReset: true, logLevel: "error" },
  config: { extends: "lighthouse:default", settings },
};

function tell(what, { lhr }) {
  const score = (id) => Math.round(100 * lhr.categories[id].score);
  const lacks = Object.values(lhr.categories).flatMap((c) => c.auditRefs).map(({ id, weight }) => ({ weight, ...lhr.audits[id] }))
    .filter((a) => a.weight > 0 && a.score !== null && a.score < 1)
    .map((a) => `${a.id}: ${a.title} ${JSON.stringify(a.details?.items ?? []).slice(0, 600)}`);
  console.log(JSON.stringify({ page: what, accessibility: score("accessibility"), bestPractices: score("best-practices"), lacks }));
}

export const until = (script, ...args) => page.waitForFunction(script, { timeout: 45_000 }, ...args);

export async function fill(label, words) {
  const find = (l) => {
    const found = [...document.querySelectorAll("label")].find((e) => e.innerText.trim().startsWith(l) && e.getClientRects().length);
    return found && document.getElementById(found.htmlFor);
  };
  const field = await until(find, label);
  await field.type(words);
}

export async function press(words) {
  const find = (w) => [...document.querySelectorAll("button, a")].find((e) => e.innerText.trim().startsWith(w) && !e.disabled && e.getClientRects().length);
  await (await until(find, words)).evaluate((e) => e.click());
}

// opened audits a page as it is opened, stands audits it as it stands.
export const opened = async (what, address) => tell(what, await navigation(page, address, options));
export const stands = async (what) => tell(what, await snapshot(page, options));
export const close = () => browser.close();
