/**
 * What the app remembers of the server's answers for when there is no signal: rows of
 * the driver's own, sealed like every other, and in no second copy.
 *
 *   D r SHA-256(name)(16)   the value, as JSON
 */
import { decode, encode } from "../cbor";
import type { Row } from "./engine";
import { join, type Bytes } from "./seal";

const prefix = Uint8Array.of(0x44, 0x72);

export async function rememberedKey(name: string): Promise<Bytes> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name)));
  return join(prefix, sum.subarray(0, 16));
}

export async function rememberedRow(name: string, value: unknown): Promise<Row> {
  return [await rememberedKey(name), value === undefined ? null : encode(JSON.stringify(value))];
}

export function rememberedIn(row: Uint8Array | undefined): unknown {
  return row && JSON.parse(decode(row) as string);
}
