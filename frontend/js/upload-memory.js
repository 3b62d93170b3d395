/* What this browser remembers of unfinished uploads: in IndexedDB the file's fingerprint, its hash, the asset and how far it came;
   in a service worker, for as long as a reload takes, the file itself. Without either nothing is remembered and all else works. */

const STORE = "unfinished";
/* The server waits this long for the bytes (designs.rules.WAIT_FOR_BYTES). */
const KEEP = 3 * 24 * 3600 * 1000;
/* Milliseconds in which the service worker answers, or is not there. */
const PATIENCE = 1500;

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

let keeper;

async function tell(message, transfer = []) {
  try {
    const worker = await keeper;
    worker?.postMessage(message, transfer);
    return Boolean(worker);
  } catch {
    return false;
  }
}

/* Start the service worker at `url`, or find it. */
export function hire(url) {
  keeper ??= navigator.serviceWorker
    ?.register(url)
    .then((found) => found.active ?? found.waiting ?? found.installing)
    .catch(() => null);
}

/* The file of an unfinished upload, if a page that was open a moment ago had it. */
export async function held(key) {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(resolve, PATIENCE, null);
  });
  return (await tell({ ask: key }, [port2])) ? answer : null;
}

export const recall = (key) => work("readonly", (store) => store.get(key));

export async function forget(key) {
  await tell({ drop: key });
  await work("readwrite", (store) => store.delete(key));
}

export async function remember(record, file) {
  await tell({ keep: record.key, file });
  await work("readwrite", (store) => store.put({ ...record, at: Date.now() }));
}

/* Everything unfinished for a place; what the server no longer waits for is thrown away. */
export async function unfinished(place) {
  const all = await work("readonly", (store) => store.getAll(), []);
  const old = all.filter((record) => Date.now() - record.at > KEEP);
  await Promise.all(old.map((record) => forget(record.key)));
  return all.filter((record) => record.place === place && !old.includes(record));
}
