// Holds the desk to Lighthouse's audits. Given are the desk's address, the password of
// everybody, and who looks at which pages: "login=path,path" each.
import { close, fill, opened, page, press, stands } from "./page.mjs";

const [desk, password, ...looks] = process.argv.slice(2);
const here = (path) => new URL(path, desk).href;

// A page that listens for news is never quiet, as Lighthouse waits for: the sign-in page
// alone is audited as it is opened, the others as they stand.
try {
  await opened("the desk: sign in", here("sign-in"));
  for (const look of looks) {
    const [login, paths] = look.split(/=(.*)/);
    await page.goto(here("sign-in"));
    await fill("Sign-in name", login);
    await fill("Password", password);
    await Promise.all([page.waitForNavigation(), press("Sign in")]);
    for (const path of paths.split(",")) {
      await page.goto(here(path));
      if (path === "search") {
        await fill("Words to look for", "pepper");
        await Promise.all([page.waitForNavigation(), press("Find")]);
      }
      await stands(`the desk: ${login}, ${path.replaceAll(/[0-9a-f]{32}/g, "ID") || "the first page"}`);
    }
    await Promise.all([page.waitForNavigation(), press("Sign out")]);
  }
} finally {
  await close();
}
