/* One file from the disk to the object store: hash, create, send with progress and retries, complete, hand over to the server's row. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { announce, size } from "./upload-row.js";
import { csrfToken, say } from "./words.js";

const RETRIES = [100, 1000, 3000, 5000];
const CHUNK = 1 << 20;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/* The answer was no: trying again would not change it. */
export class Refused extends Error {}

async function hash(file, row) {
  const digest = sha256.create();
  for (let offset = 0; offset < file.size; offset += CHUNK) {
    if (row.canceled) throw new Refused("");
    digest.update(new Uint8Array(await file.slice(offset, offset + CHUNK).arrayBuffer()));
    row.progress((offset / file.size) * 0.1, say("upload_hashing"));
  }
  return bytesToHex(digest.digest());
}

async function post(url, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrfToken() };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
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
  throw new Refused(reason);
}

function timeLeft(seconds) {
  if (!Number.isFinite(seconds)) return "";
  return seconds < 90
    ? say("upload_left_seconds", { seconds: Math.max(1, Math.round(seconds)) })
    : say("upload_left_minutes", { minutes: Math.round(seconds / 60) });
}

function transfer(file, target, row) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const started = performance.now();
    request.open(target.method ?? "POST", target.url);
    request.upload.addEventListener("progress", (event) => {
      const seconds = (performance.now() - started) / 1000;
      const speed = event.loaded / seconds;
      const parts = [say("upload_sending"), `${size(speed)}/s`];
      if (seconds > 1) parts.push(timeLeft((event.total - event.loaded) / speed));
      row.progress(0.1 + (event.loaded / event.total) * 0.9, parts.filter(Boolean).join(" · "));
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else if (request.status >= 500 || request.status === 408 || request.status === 429) reject(new Error(say("upload_failed")));
      else reject(new Refused(`${say("upload_failed")} (${request.status})`));
    });
    request.addEventListener("error", () => reject(new Error(say("upload_failed"))));
    request.addEventListener("abort", () => reject(new Refused("")));
    row.onCancel = () => request.abort();
    if ((target.method ?? "POST").toUpperCase() === "PUT") {
      for (const [name, value] of Object.entries(target.headers ?? target.fields ?? {})) request.setRequestHeader(name, value);
      request.send(file);
    } else {
      const form = new FormData();
      for (const [name, value] of Object.entries(target.fields ?? {})) form.append(name, value);
      form.append("file", file);
      request.send(form);
    }
  });
}

async function untilOnline(row) {
  if (navigator.onLine) return;
  row.tell(say("upload_network"));
  await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
}

/* Run `attempt` again after each pause while the failure is one that may pass; a refusal is final. */
async function persist(attempt, row) {
  for (const wait of [...RETRIES, null]) {
    try {
      await untilOnline(row);
      return await attempt();
    } catch (error) {
      if (error instanceof Refused || row.canceled || wait === null) throw error;
      row.tell(say("upload_retry", { seconds: Math.ceil(wait / 1000) }));
      await pause(wait);
    }
  }
  throw new Error(say("upload_failed"));
}

/* Bring `file` all the way; throws with words for the row when it cannot. */
export async function send(file, row, settings) {
  const digest = await hash(file, row);
  const announced = { filename: file.name, content_type: file.type || "application/octet-stream", size: file.size, sha256: digest, kind: settings.kind };
  const created = await persist(() => post(settings.createUrl, announced), row);
  const id = created.asset?.id ?? created.asset;
  await persist(() => transfer(file, created.upload, row), row);
  row.cancelButton.remove();
  row.progress(1, say("upload_checking"));
  await persist(() => post(settings.completeUrl.replace("{id}", id).replace("%7Bid%7D", id), {}), row);
  announce(say("upload_done", { name: file.name }));
  const rowUrl = settings.rowUrl.replace("{id}", id).replace("%7Bid%7D", id);
  await window.htmx.ajax("GET", rowUrl, { source: row.element, target: row.element, swap: "outerHTML" });
}
