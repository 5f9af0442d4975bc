// Asks for a passkey on the pages of the desk that sign somebody in, and makes one on the
// page for that. What the browser answers goes into the page's form, as everything else does.
// Without it the page's other ways work as well.
"use strict";
(() => {
  const form = document.getElementById("passkey");
  const said = [...document.querySelectorAll("[data-said]")];
  const say = (what) => { for (const p of said) p.hidden = p.dataset.said !== what; };
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON || !PublicKeyCredential.parseCreationOptionsFromJSON) return say("none");
  form.hidden = false;
  let asked = false; // the browser asks already

  function make() {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(form.dataset.options));
    return navigator.credentials.create({ publicKey });
  }

  async function use() {
    const answer = await fetch(form.dataset.begin, { method: "POST", cache: "no-store", redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok) return undefined;
    const begun = await answer.json();
    form.elements.ticket.value = begun.ticket;
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(begun.options) });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (asked) return;
    asked = true;
    say("");
    try {
      const got = form.dataset.options ? await make() : await use();
      if (!got) return say("down");
      form.elements.answer.value = JSON.stringify(got.toJSON());
      form.submit();
    } catch (e) {
      say(e.name === "InvalidStateError" ? "has" : "stopped");
    } finally {
      asked = false;
    }
  });
})();
