// A worker as in a window whose browser keeps nothing.
Object.defineProperty(self, "indexedDB", {
  value: { open() { throw new DOMException("not allowed here", "SecurityError"); } },
});
