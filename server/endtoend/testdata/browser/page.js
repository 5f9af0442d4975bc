// What a test does with a page: open the client, and tell the test what it typed and
// what was said to be on disk.
import { Client, newID } from "/app/index.js";

const events = [];
window.tablet = {
  newID,
  events,
  async open() {
    const worker = new URLSearchParams(location.search).get("worker") ?? "worker.js";
    const client = await Client.open({ worker: "/app/" + worker, wasm: "/app/doorstep.wasm" });
    for (const kind of ["note", "state", "session", "sync", "recovered", "writer", "fault"]) {
      client.on(kind, (value) => events.push({ kind, value }));
    }
    this.client = client;
    return client.state;
  },
  async unlock(pin) {
    const [person] = await this.client.people();
    await this.client.unlock(person.store, { pin });
    return person.login;
  },
  // What is sealed to the borough, as its file is handed to IT.
  async sealed() {
    const [person] = await this.client.people();
    const { items, file } = await this.client.sealed(person.store);
    return { items, file: btoa(String.fromCharCode(...file)) };
  },
  // Waits until so many changes and drafts are sealed.
  async sealedTo(want) {
    for (;;) {
      const { items } = await this.sealed();
      if (items === want) return items;
      await new Promise((next) => setTimeout(next, 20));
    }
  },
  // Begins a visit in the first family, as somebody on the doorstep does.
  async begin() {
    const [{ family }] = await this.client.families();
    const record = newID();
    await this.client.edit({ record, family, kind: "visit", ops: [{ op: "set", path: { field: "visit_type" }, value: "CIN" }] });
    return record;
  },
  async refused(promise) {
    try {
      await promise;
      return "";
    } catch (e) {
      return e.code;
    }
  },
  // Types words into a text, one code point each everyMS, and reports.
  async write(record, words, everyMS) {
    const field = this.field = await this.client.text(record, { field: "purpose" });
    const area = document.getElementById("words");
    area.value = field.value;
    field.onChange((value) => { area.value = value; });
    const kept = [];
    for (const c of words) {
      area.value += c;
      const typed = area.value;
      void fetch("/typed", { method: "POST", body: typed, keepalive: false });
      kept.push(field.input(typed).then(() => fetch("/kept", { method: "POST", body: typed })));
      await new Promise((next) => setTimeout(next, everyMS));
    }
    await Promise.all(kept);
    return field.value;
  },
  async append(record, words) {
    const field = await this.client.text(record, { field: "purpose" });
    await field.input(field.value + words);
    const value = field.value;
    await field.close();
    return value;
  },
  // What a form says in which somebody is writing a note of their own.
  async noting(record, value) {
    const { family, kind } = await this.client.view(record);
    const ops = [{ op: "add", path: { field: "worker_raw_note", element: this.noteID ??= newID() }, value }];
    const note = { name: "note", record, family, kind, ops };
    await this.client.sketch(note);
    return note;
  },
  async purpose(record) {
    return (await this.client.view(record)).fields.purpose?.text ?? "";
  },
};
window.ready = window.tablet.open().catch((e) => e.code);
