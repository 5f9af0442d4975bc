// Makes calls of the module: node run.mjs wasm_exec.js doorstep.wasm, the calls as JSON
// on standard input, an answer a line on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [start, module] = process.argv.slice(2);
createRequire(import.meta.url)(start);
const go = new Go();
const { instance } = await WebAssembly.instantiate(readFileSync(module), go.importObject);
go.run(instance);
const { mem, reserve, call, answer } = instance.exports;
const lines = JSON.parse(readFileSync(0, "utf8")).map(({ op, args }) => {
  const bytes = Buffer.from(args, "hex");
  const at = reserve(bytes.length) >>> 0;
  new Uint8Array(mem.buffer, at, bytes.length).set(bytes);
  const n = call(op, bytes.length);
  return Buffer.from(new Uint8Array(mem.buffer, answer() >>> 0, n)).toString("hex");
});
process.stdout.write(lines.join("\n") + "\n", () => process.exit(0));
