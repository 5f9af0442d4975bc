// A page that enrols, unlocks, and records one visit. It works without the server from
// the second start on.
import { Client, newID } from "/app/index.js";

const at = (id) => document.getElementById(id);
const client = await Client.open({ worker: "/app/worker.js", wasm: "/app/doorstep.wasm" });

client.on("state", show);
client.on("fault", ({ plain }) => { at("state").textContent = plain; });
client.on("recovered", ({ changes, drafts }) => { at("state").textContent = `Brought back: ${changes + drafts} entries.`; });
await show();

async function show() {
  at("state").textContent = { empty: "Nobody is enrolled here.", locked: "Locked.", open: "Open.", lapsed: "Sign in to open." }[client.state];
  at("enrol").hidden = client.state !== "empty";
  at("unlock").hidden = client.state !== "locked";
  at("record").hidden = client.state !== "open";
  if (client.state === "open") await record();
}

at("enrol").onsubmit = async (e) => {
  e.preventDefault();
  const { login, password, code, pin } = Object.fromEntries(new FormData(e.target));
  await client.enrol({ login, credential: { login, password }, code, name: "example", unlock: { pin } }).catch(complain);
};

at("unlock").onsubmit = async (e) => {
  e.preventDefault();
  const [person] = await client.people();
  await client.unlock(person.store, { pin: new FormData(e.target).get("pin") }).catch(complain);
};

function complain(e) { at("state").textContent = e.message; }

// Opens the first visit of the first family, or begins one.
async function record() {
  await client.sync();
  const [family] = await client.families();
  if (!family) return complain(new Error("You have no family yet."));
  let visit = (await client.records(family.family)).find((r) => r.kind === "visit")?.record;
  if (!visit) {
    visit = newID();
    await client.edit({ record: visit, family: family.family, kind: "visit", ops: [{ op: "set", path: { field: "visit_type" }, value: "CIN" }] });
  }
  const field = await client.text(visit, { field: "purpose" });
  const area = at("purpose");
  area.value = field.value;
  area.oninput = async () => {
    at("saved").textContent = "Saving";
    try {
      await field.input(area.value);
      if (field.unsaved === 0) at("saved").textContent = "Saved on this tablet";
    } catch (e) {
      at("saved").textContent = "NOT SAVED: " + e.message;
    }
  };
  field.onChange((value, move) => {
    const [from, to] = [move(area.selectionStart), move(area.selectionEnd)];
    area.value = value;
    area.setSelectionRange(from, to);
  });
}
