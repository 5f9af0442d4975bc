// Serves the example beside a server: node serve.mjs http://127.0.0.1:8080 [port]
import { createServer, request } from "node:http";
import { readFile } from "node:fs/promises";

const server = new URL(process.argv[2] ?? "http://127.0.0.1:8080");
const here = new URL(".", import.meta.url);
const files = {
  "/app/": ["index.html", "text/html"], "/app/app.js": ["app.js", "text/javascript"], "/app/index.js": ["../dist/index.js", "text/javascript"],
  "/app/worker.js": ["../dist/worker.js", "text/javascript"], "/app/doorstep.wasm": ["../dist/doorstep.wasm", "application/wasm"],
};
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; " +
  "img-src data:; require-trusted-types-for 'script'; trusted-types doorstep-client";

createServer(async (req, res) => {
  if (req.url.startsWith("/v1/")) {
    const out = request(new URL(req.url, server), { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    out.on("error", () => res.destroy());
    req.pipe(out);
    return;
  }
  const [name, type] = files[req.url] ?? [];
  if (!name) return void res.writeHead(404).end();
  res.writeHead(200, { "Content-Type": type, "Content-Security-Policy": policy }).end(await readFile(new URL(name, here)));
}).listen(Number(process.argv[3] ?? 8181), "127.0.0.1", () => console.log("http://127.0.0.1:8181/app/"));
