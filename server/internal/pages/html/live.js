// Says on a page of the desk that what it shows has changed since. It changes nothing else:
// nothing that somebody types is lost to it. Without it every page works as well.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const often = 2_000; // milliseconds between two looks, at least
  const longest = 4 * 3_600_000; // for which a page listens: a screen left on is not somebody at work
  const opened = Date.now();
  let patience = 15_000; // milliseconds until the next try, where the server had no room
  let source = null;
  let looked = 0;
  let next = 0;
  let again = 0;

  async function look() {
    next = 0;
    looked = Date.now();
    const answer = await fetch(live.dataset.at, { cache: "no-store", redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok || (await answer.text()) === live.dataset.version) return;
    live.hidden = false;
    stop();
  }

  function soon() {
    patience = 15_000;
    if (!next) next = setTimeout(look, Math.max(0, looked + often - Date.now()));
  }

  // A stream that breaks is opened again by the browser; one that is refused is not.
  function refused() {
    if (source?.readyState !== EventSource.CLOSED || again) return;
    again = setTimeout(listen, patience);
    patience *= 2;
  }

  function stop() {
    clearTimeout(next);
    clearTimeout(again);
    next = again = 0;
    source?.close();
    source = null;
  }

  // A page that nobody looks at keeps no connection: a browser has few for one server.
  function listen() {
    stop();
    if (document.hidden || !live.hidden || Date.now() - opened > longest) return;
    source = new EventSource("/desk/events");
    source.addEventListener("pull", soon);
    source.addEventListener("error", refused);
  }

  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", listen);
})();
