/* What this browser remembers of unfinished uploads, in IndexedDB: the file's fingerprint, its hash, the asset, how far it came,
   and, where the browser gives one, a handle to open the file again. Without IndexedDB nothing is remembered and all else works. */

const STORE = "unfinished";
/* The server waits this long for the bytes (designs.rules.WAIT_FOR_BYTES). */
const KEEP = 3 * 24 * 3600 * 1000;

const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("uploads", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function work(mode, action, otherwise) {
  try {
    return await asked(action((await database()).transaction(STORE, mode).objectStore(STORE)));
  } catch {
    return otherwise;
  }
}

/* One file for one place; a file that was changed since is another one. */
export const fingerprint = (place, file) => [place, file.name, file.size, file.lastModified].join("|");

export const recall = (key) => work("readonly", (store) => store.get(key));
export const forget = (key) => work("readwrite", (store) => store.delete(key));
export const remember = (record) => work("readwrite", (store) => store.put({ ...record, at: Date.now() }));

/* Everything unfinished for a place; what the server no longer waits for is thrown away. */
export async function unfinished(place) {
  const all = await work("readonly", (store) => store.getAll(), []);
  const old = all.filter((record) => Date.now() - record.at > KEEP);
  await Promise.all(old.map((record) => forget(record.key)));
  return all.filter((record) => record.place === place && !old.includes(record));
}
