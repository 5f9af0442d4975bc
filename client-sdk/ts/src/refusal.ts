/**
 * Why something was not done: the protocol's code by its short name (SPEC 11),
 * and words for the person concerned. Codes of this package's own:
 *
 * - `locked`: unlock first. `wrong_secret`: that PIN or passkey does not open it.
 * - `lapsed`: too long without the server, or too many wrong PINs: sign in as well.
 * - `destroyed`: too many wrong PINs: the key is gone; `Client.sealed` has what was not sent.
 * - `no_passkey`: the device did not give its passkey.
 * - `unsupported`: this browser lacks what is needed; `detail` names it.
 * - `storage`: nothing can be kept here now (no space, or the browser refuses).
 * - `damaged`: what was kept cannot be read; see the `fault` event.
 * - `interrupted`: the worker was started anew; nothing is known of this call.
 *
 * `plain` is English. An app that speaks another language as well has words of its own
 * for the codes; it is empty where there is nothing that the person could do.
 */
export class Refusal extends Error {
  /** detail is what is missing or wrong, for a log; it never holds content. */
  constructor(readonly code: string, readonly plain: string, readonly detail = "") {
    super(plain || code);
    this.name = "Refusal";
  }
}

/** The refusal of a call of which nothing is known, because what worked on it is gone. */
export function interrupted(detail = ""): Refusal {
  return new Refusal("interrupted", "This was broken off. What is shown as saved is kept. Try it again.", detail);
}
