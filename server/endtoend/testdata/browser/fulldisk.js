// A disk without space, switched on and off from outside: writes end as they do where
// the browser's quota is used up.
let full = false;
const disk = new BroadcastChannel("disk");
disk.onmessage = (e) => {
  full = e.data === "full";
  disk.postMessage("so it is");
};
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...args) {
  if (full) throw new DOMException("no space", "QuotaExceededError");
  return put.apply(this, args);
};
const flush = FileSystemSyncAccessHandle.prototype.write;
FileSystemSyncAccessHandle.prototype.write = function (...args) {
  if (full) throw new DOMException("no space", "QuotaExceededError");
  return flush.apply(this, args);
};
const estimate = StorageManager.prototype.estimate;
StorageManager.prototype.estimate = async function () {
  const e = await estimate.call(this);
  return full ? { ...e, quota: e.usage + 1 } : e;
};
