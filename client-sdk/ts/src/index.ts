/**
 * The tablet's side of Doorstep for a browser.
 *
 * `Client.open` starts a worker that runs the sync engine, the same as on every
 * other kind of device, over IndexedDB, with a second copy of unsent work in the
 * origin's private files. Everything it keeps is encrypted. One tab at a time
 * writes; the others work through it, and one of them takes over when it goes.
 *
 * A promise that `edit`, `type` or `TextField.input` gave is fulfilled once the
 * words are on this device's own disk. Until then they are not "saved".
 */
export * from "./types";
export * from "./kinds.gen";
export { Client } from "./client";
export type {
  About, ClientEvents, ClientOptions, Credential, Enrolment, Note, NoteKind, OpenState, Person,
  Recovered, SealedWork, Session, StorageState, SyncReport, Unlock,
} from "./client";
export { canUsePasskey, newPasskey, usePasskey } from "./passkey";
export { TextField } from "./textfield";
export { Refusal } from "./refusal";
export { newID, partID, idOf, refTo } from "./ids";
