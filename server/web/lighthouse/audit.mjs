// Holds the app to Lighthouse's audits of accessibility and of best practices: the page
// that everybody sees first as it is opened, and the screens that are worked with as they
// stand. Prints one JSON value a page. Given are the app's address and what a person
// sets their tablet up with.
import { navigation, snapshot } from "lighthouse";
import puppeteer from "puppeteer-core";

const [app, login, password, code, pin] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium", defaultViewport: null,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-background-networking", "--disable-sync",
    "--disable-dev-shm-usage", "--lang=en-GB", "--accept-lang=en-GB", "--window-size=820,1180"],
});
const page = (await browser.pages())[0];
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

const until = (script, ...args) => page.waitForFunction(script, { timeout: 45_000 }, ...args);

async function fill(label, words) {
  const find = (l) => {
    const found = [...document.querySelectorAll("label")].find((e) => e.innerText.trim().startsWith(l) && e.getClientRects().length);
    return found && document.getElementById(found.htmlFor);
  };
  const field = await until(find, label);
  await field.type(words);
}

async function press(words) {
  const find = (w) => [...document.querySelectorAll("button, a")].find((e) => e.innerText.trim().startsWith(w) && !e.disabled && e.getClientRects().length);
  await (await until(find, words)).evaluate((e) => e.click());
}

async function goTo(place) {
  await page.evaluate((p) => { location.hash = "#/" + p; }, place);
  await until(() => document.querySelector("h1"));
}

try {
  tell("the first page", await navigation(page, app, options));
  await page.goto(app);
  await fill("Sign-in name", login);
  await fill("Password", password);
  await fill("Enrolment code", code);
  await fill("Choose a PIN", pin);
  await press("Set up");
  await until(() => document.querySelector(".card__title"));
  tell("today", await snapshot(page, options));
  await press("Start a visit");
  tell("a family", await snapshot(page, options));
  await press("Start now");
  await until(() => document.querySelector("textarea") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly));
  tell("a visit", await snapshot(page, options));
  const visit = await page.evaluate(() => location.hash.replace("#/record/", ""));
  for (const [what, place] of [["show the family", "show/" + visit], ["on this tablet", "outbox"], ["settings", "more"]]) {
    await goTo(place);
    tell(what, await snapshot(page, options));
  }
} finally {
  await browser.close();
}
