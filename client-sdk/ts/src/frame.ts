/** The frame that a sync message travels in (SPEC 7.1). */

/** No frame and no message is longer. */
const maxBytes = 8 << 20;

/** Puts a message into a frame, compressed where that makes it shorter. */
export async function wrap(payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (payload.length >= 128) {
    const packed = await through(payload, new CompressionStream("deflate-raw"), payload.length);
    if (packed && packed.length < payload.length) return joined(1, payload.length, packed);
  }
  return joined(0, payload.length, payload);
}

/** Takes a message out of its frame. Throws on anything else. */
export async function unwrap(wire: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  let size = 0, at = 1, factor = 1;
  for (; ; at++) {
    const b = wire[at];
    if (b === undefined || at > 5) throw new TypeError("frame: no size");
    size += (b & 127) * factor;
    factor *= 128;
    if (b < 128) break;
  }
  if (size > maxBytes) throw new TypeError("frame: too large");
  const data = wire.subarray(at + 1);
  if (wire[0] === 0 && data.length === size) return data;
  if (wire[0] !== 1) throw new TypeError("frame: unknown format");
  const out = await through(data, new DecompressionStream("deflate-raw"), size);
  if (out?.length !== size) throw new TypeError("frame: another size than declared");
  return out;
}

function joined(format: number, size: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = [format];
  for (; size >= 128; size = Math.floor(size / 128)) head.push((size % 128) | 128);
  head.push(size);
  const out = new Uint8Array(head.length + data.length);
  out.set(head);
  out.set(data, head.length);
  return out;
}

/** What a stream makes of data; undefined if that would be more than most. */
async function through(
  data: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream, most: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const written = writeAll(stream, data);
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let r = await reader.read(); !r.done; r = await reader.read()) {
    size += r.value.length;
    if (size > most) {
      await reader.cancel().catch(() => undefined);
      await written.catch(() => undefined);
      return undefined;
    }
    chunks.push(r.value);
  }
  await written;
  const out = new Uint8Array(size);
  let at = 0;
  for (const c of chunks) {
    out.set(c, at);
    at += c.length;
  }
  return out;
}

async function writeAll(stream: CompressionStream | DecompressionStream, data: Uint8Array<ArrayBuffer>): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(data);
  await writer.close();
}
