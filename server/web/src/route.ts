import { useEffect, useState } from "preact/hooks";

/** Where the person is, as the address after # says it: "#/record/<id>". */
export function useRoute(): string[] {
  const [path, setPath] = useState(parts());
  useEffect(() => {
    const moved = () => {
      setPath(parts());
      window.scrollTo(0, 0);
      document.getElementById("main")?.focus();
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return path;
}

function parts(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);
}

export function go(...path: string[]): void {
  location.hash = "#/" + path.join("/");
}

export function link(...path: string[]): string {
  return "#/" + path.join("/");
}

const lastHere = "doorstep-last-here"; // the random name of a store, and nothing about anybody

/** The random name of the store of whoever was here last in this tab; empty: nobody yet. */
export function whoIsHere(): string {
  return sessionStorage.getItem(lastHere) ?? "";
}

/** Leaves the place where somebody else was, for whoever opens the tablet now. The same person goes on where they were. */
export function arrive(store: string): void {
  const before = sessionStorage.getItem(lastHere);
  if (before !== null && before !== store) location.hash = link("today");
  sessionStorage.setItem(lastHere, store);
}
