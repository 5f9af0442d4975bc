import type { ChangeID, RecordHeads, RecordID } from "@doorstep/client";

/** Names the version of a record that a confirmation is about. */
export function headsOf(record: RecordID, heads: ChangeID[]): RecordHeads {
  return { record, heads: [...heads].sort() };
}
