// Holds the app to Lighthouse's audits: the page that everybody sees first as it is
// opened, and the screens that are worked with as they stand. Given are the app's address
// and what a person sets their tablet up with.
import { close, fill, opened, page, press, stands, until } from "./page.mjs";

const [app, login, password, code, pin] = process.argv.slice(2);

async function goTo(place) {
  await page.evaluate((p) => { location.hash = "#/" + p; }, place);
  await until(() => document.querySelector("h1"));
}

try {
  await opened("the first page", app);
  await page.goto(app);
  await fill("Sign-in name", login);
  await fill("Password", password);
  await fill("Enrolment code", code);
  await fill("Choose a PIN", pin);
  await press("Set up");
  await until(() => document.querySelector(".card__title"));
  await stands("today");
  await press("Start a visit");
  await stands("a family");
  await press("Start now");
  await until(() => document.querySelector("textarea") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly));
  await stands("a visit");
  const visit = await page.evaluate(() => location.hash.replace("#/record/", ""));
  for (const [what, place] of [["show the family", "show/" + visit], ["on this tablet", "outbox"], ["settings", "more"]]) {
    await goTo(place);
    await stands(what);
  }
} finally {
  await close();
}
