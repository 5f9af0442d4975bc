/// <reference lib="webworker" />
/**
 * Keeps the app itself on the tablet, so that it opens without a connection. Records
 * never pass through it: what is not a file of the app goes to the network as it is.
 * A newer version waits until no page of the old one is open: never during a visit.
 */
declare const self: ServiceWorkerGlobalScope;
declare const FILES: string[];
declare const VERSION: string;

const cacheName = "doorstep-app-" + VERSION;

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(FILES.map((f) => new Request(f, { cache: "no-cache" })))));
});

self.addEventListener("activate", (e) => {
  e.waitUntil(Promise.all([
    caches.keys().then((names) => Promise.all(names.filter((n) => n.startsWith("doorstep-app-") && n !== cacheName).map((n) => caches.delete(n)))),
    self.clients.claim(), // so that the page that brought the first version is one that the next waits for
  ]));
});

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== self.location.origin || !url.pathname.startsWith("/app/")) return;
  e.respondWith(answer(e.request, url.pathname));
});

/** Other names of the app's page: the second is where a sign-in service sends people back to. */
const pageNames = ["/app/index.html", "/app/signed-in"];

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(pageNames.includes(path) ? "/app/" : path);
  return kept ?? fetch(request);
}

export {};
