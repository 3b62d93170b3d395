/* One file from the disk to the object store: hash, announce, send the parts that are missing, complete, hand over to the server's row.
   Whatever interrupts it, running it again goes on where it stopped: the store knows which parts it has. */
import { forget, recall, remember } from "./upload-memory.js";
import { announce, size } from "./upload-row.js";
import { csrfToken, say } from "./words.js";

/* Milliseconds before the next try; a part that arrives starts the count anew. */
const WAITS = [500, 1000, 3000, 5000, 10000, 20000];
/* The addresses of parts work ten minutes. */
const PLAN_LIFE = 8 * 60 * 1000;
/* A connection on which nothing moves for this long is dead. */
const STALLED = 30000;
const WINDOW = 5000;

/* The answer was no: trying again would not change it. */
export class Refused extends Error {
  constructor(message, answer = {}) {
    super(message);
    this.answer = answer;
  }
}

/* A file of the organization has the same bytes: the person is asked before anything is sent. */
export class SameFile extends Error {
  constructor(twin) {
    super("");
    this.words = twin.title ? say("upload_here", { name: twin.filename, title: twin.title }) : say("upload_here_plain", { name: twin.filename });
  }
}

function hash(item, signal) {
  const worker = new Worker(item.settings.hashWorker, { type: "module" });
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    worker.onerror = () => reject(new Error(say("upload_failed")));
    worker.onmessage = ({ data }) => {
      if (data.digest) resolve(data.digest);
      else if (data.unreadable) reject(new Refused(say("upload_unreadable", { name: item.file.name })));
      else item.row.progress(0, `${say("upload_hashing")} ${Math.round((data.read / item.file.size) * 100)} %`);
    };
    worker.postMessage(item.file);
  }).finally(() => worker.terminate());
}

export async function post(url, body, signal) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrfToken() };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin", signal });
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    /* Not JSON: a proxy or an error page. The status decides. */
  }
  if (response.ok) return answer;
  const reason = answer.detail || answer.title || say("upload_failed");
  if (response.status >= 500 || response.status === 429) throw new Error(reason);
  throw new Refused(reason, answer);
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/* Wait before the next try; without a network, until it is back. */
async function comeBack(milliseconds, item, signal) {
  if (navigator.onLine) {
    item.row.tell(say("upload_retry", { seconds: Math.ceil(milliseconds / 1000) }));
    await pause(milliseconds, signal);
    return;
  }
  item.row.tell(say("upload_network"));
  await new Promise((resolve, reject) => {
    window.addEventListener("online", resolve, { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/* Run `attempt` again after each wait while the failure is one that may pass. */
async function persist(attempt, item, signal) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refused || signal.aborted || failures >= WAITS.length) throw error;
      await comeBack(WAITS[failures], item, signal);
    }
  }
}

function timeLeft(seconds) {
  return seconds < 90
    ? say("upload_left_seconds", { seconds: Math.max(1, Math.round(seconds)) })
    : say("upload_left_minutes", { minutes: Math.round(seconds / 60) });
}

/* Shows how far a file is, how fast it goes (over the last seconds) and how long it will take. */
function meter(item) {
  let samples = [];
  return (sent) => {
    const now = performance.now();
    samples = [...samples.filter((sample) => now - sample.now < WINDOW), { now, sent }];
    const seconds = (now - samples[0].now) / 1000;
    const speed = (sent - samples[0].sent) / seconds;
    const told = [say("upload_sending")];
    if (seconds > 0.5 && speed > 0) told.push(`${size(speed)}/s`, timeLeft((item.file.size - sent) / speed));
    item.row.progress(sent / item.file.size, told.join(" · "));
  };
}

function put(part, item, signal, moved) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const failed = () => reject(new Error(say("upload_failed")));
    const stop = () => request.abort();
    let watch;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(stop, STALLED);
    };
    request.open("PUT", part.url);
    request.upload.addEventListener("progress", (event) => {
      alive();
      moved(Math.min(event.loaded, part.size));
    });
    request.addEventListener("load", () => (request.status >= 200 && request.status < 300 ? resolve() : failed()));
    request.addEventListener("error", failed);
    request.addEventListener("abort", failed);
    request.addEventListener("loadend", () => {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
    });
    signal.addEventListener("abort", stop);
    alive();
    request.send(item.file.slice(part.offset, part.offset + part.size));
  });
}

async function sendParts(item, record, signal) {
  const show = meter(item);
  for (let failures = 0; ; ) {
    const plan = await persist(() => post(`${item.url}/parts`, {}, signal), item, signal);
    const left = plan.parts.filter((part) => part.url);
    const end = performance.now() + PLAN_LIFE;
    let sent = left.reduce((bytes, part) => bytes - part.size, item.file.size);
    show(sent);
    try {
      for (const part of left) {
        if (performance.now() > end) break;
        await put(part, item, signal, (loaded) => show(sent + loaded));
        failures = 0;
        sent += part.size;
        await remember({ ...record, percent: Math.floor((sent / item.file.size) * 100) }, item.file);
      }
      if (sent === item.file.size) return;
    } catch (error) {
      if (signal.aborted || failures >= WAITS.length) throw error;
      await comeBack(WAITS[failures], item, signal);
      failures += 1;
    }
  }
}

/* Take the bytes from a file that is here already; false when they have to be sent after all. */
async function reuse(item, signal) {
  item.row.finish(say("upload_checking"));
  try {
    await persist(() => post(`${item.url}/reuse`, {}, signal), item, signal);
    return true;
  } catch (error) {
    if (error.answer?.code === "not_here") return false;
    throw error;
  }
}

/* Join what was sent; once more through the parts when the store misses some. */
async function complete(item, record, signal) {
  for (let again = false; ; again = true) {
    await sendParts(item, record, signal);
    item.row.finish(say("upload_checking"));
    try {
      return await persist(() => post(item.completeUrl, {}, signal), item, signal);
    } catch (error) {
      if (again || error.answer?.code !== "not_uploaded") throw error;
    }
  }
}

/* Bring a file all the way; throws with words for the row when it cannot, or with the signal's reason when it was stopped. */
export async function send(item, signal) {
  const { file, settings, key } = item;
  const known = await recall(key);
  const digest = known?.sha256 ?? (await hash(item, signal));
  const announced = { filename: file.name, content_type: file.type || "application/octet-stream", size: file.size, sha256: digest, kind: settings.kind };
  const created = await persist(() => post(settings.createUrl, announced, signal), item, signal);
  item.announced(created.asset?.id ?? created.asset);
  const record = { key, place: item.place, asset: item.id, sha256: digest, name: file.name, percent: known?.percent ?? 0 };
  await remember(record, file);
  if (created.duplicate_of && !item.agreed) throw new SameFile(created.duplicate_of);
  if (!item.agreed || !(await reuse(item, signal))) await complete(item, record, signal);
  await forget(key);
  announce(say("upload_done", { name: file.name }));
  await window.htmx.ajax("GET", item.rowUrl, { source: item.row.element, target: item.row.element, swap: "outerHTML" });
}
