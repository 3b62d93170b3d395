/* Drop zones: choose, drop or paste files; three at a time they are read, announced, sent to the object store and completed.
   What a reload or a lost connection left unfinished goes on when the file is there again. */
import { fingerprint, forget, held, hire, unfinished } from "./upload-memory.js";
import { createRow, size } from "./upload-row.js";
import { Refused, SameFile, post, send } from "./upload-transfer.js";
import { say } from "./words.js";

const AT_ONCE = 3;
const waiting = [];
const active = new Set();

function next() {
  while (active.size < AT_ONCE && waiting.length) run(waiting.shift());
}

async function run(item) {
  active.add(item);
  const stop = new AbortController();
  item.stop = stop;
  try {
    await send(item, stop.signal);
    item.done();
  } catch (error) {
    if (!stop.signal.aborted) item.failed(error);
  } finally {
    active.delete(item);
    next();
  }
}

const serverRow = (id) => document.getElementById(`asset-${id}`);

/* One file on its way, and the row that shows it. */
class Item {
  constructor(zone, file) {
    Object.assign(this, { zone, file, settings: zone.settings, place: zone.place });
    this.key = fingerprint(zone.place, file);
    this.row = createRow(file, zone.rows);
    this.row.onPause = () => this.pause();
    this.row.onCancel = () => this.cancel();
  }

  get rowUrl() {
    return this.address(this.settings.rowUrl);
  }

  get completeUrl() {
    return this.address(this.settings.completeUrl);
  }

  address(pattern) {
    return pattern.replace("{id}", this.id).replace("%7Bid%7D", this.id);
  }

  queue() {
    this.row.wait();
    waiting.push(this);
    next();
  }

  /* The server knows the file now; a row it had for it from an earlier try makes room for ours. */
  announced(id) {
    this.id = id;
    this.url = this.address(this.settings.assetUrl);
    this.supersede(id);
  }

  supersede(id) {
    const old = serverRow(id);
    if (old && old !== this.row.element) old.replaceWith(this.row.element);
  }

  withdraw() {
    this.stop?.abort(new Error("stopped"));
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
  }

  pause() {
    this.withdraw();
    this.row.paused(() => this.queue());
  }

  async cancel() {
    this.withdraw();
    this.row.remove();
    this.done();
    await forget(this.key);
    if (this.url) await post(`${this.url}/remove`, {}).catch(() => {}); /* the server gives it up by itself in time */
  }

  done() {
    this.zone.known.delete(this.key);
  }

  failed(error) {
    if (error instanceof SameFile) {
      this.row.offer(error.words, () => {
        this.agreed = true;
        this.queue();
      });
      return;
    }
    if (error.answer?.code === "wrong_bytes") forget(this.key);
    const final = error instanceof Refused;
    if (final) this.done();
    this.row.fail(error.message || say("upload_failed"), final ? null : () => this.queue());
  }
}

class Zone {
  constructor(root) {
    this.settings = root.dataset;
    this.place = `${root.dataset.createUrl} ${root.dataset.kind}`;
    this.form = root.querySelector("form");
    this.input = root.querySelector('input[type="file"]');
    this.rows = document.getElementById(root.dataset.rows);
    this.endings = this.input.accept.split(",").filter((part) => part.startsWith("."));
    this.known = new Set();
    this.left = new Map(); /* fingerprint -> asset of what an earlier page left unfinished */
    for (const element of root.querySelectorAll("[data-upload-fallback]")) element.remove();
    this.input.required = false;
    hire(this.settings.keeper);
    this.listen();
    this.restore();
  }

  listen() {
    this.input.addEventListener("change", () => {
      this.take([...this.input.files]);
      this.input.value = "";
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    for (const kind of ["dragenter", "dragover"]) {
      this.form.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        this.form.classList.add("over");
      });
    }
    for (const kind of ["dragleave", "drop"]) {
      this.form.addEventListener(kind, (event) => {
        if (kind === "dragleave" && this.form.contains(event.relatedTarget)) return;
        this.form.classList.remove("over");
      });
    }
    this.form.addEventListener("drop", (event) => {
      event.preventDefault();
      this.take([...event.dataTransfer.files]);
    });
  }

  takes(file) {
    return !this.endings.length || this.endings.some((ending) => file.name.toLowerCase().endsWith(ending));
  }

  take(files) {
    for (const file of this.input.multiple ? files : files.slice(0, 1)) {
      /* A CAD file dropped among the photos goes where it belongs. */
      const zone = this.takes(file) ? this : (zones.find((other) => other.takes(file)) ?? this);
      zone.add(file);
    }
  }

  add(file) {
    const item = new Item(this, file);
    const refusal = this.refuse(file, item.key);
    if (refusal) {
      item.row.onCancel = () => item.row.remove();
      item.row.fail(refusal);
      return;
    }
    this.known.add(item.key);
    item.supersede(this.left.get(item.key));
    item.queue();
  }

  refuse(file, key) {
    const most = Number(this.settings.maxBytes);
    if (this.known.has(key)) return say("upload_twice", { name: file.name });
    if (file.size === 0) return say("upload_empty", { name: file.name });
    if (!this.takes(file)) {
      const kinds = this.endings.map((ending) => ending.slice(1).toUpperCase());
      return say("upload_kind", { name: file.name, kinds: kinds.join(", ") });
    }
    if (most && file.size > most) {
      return say("upload_too_big", { name: file.name, size: size(file.size), limit: size(most) });
    }
    return "";
  }

  /* Rows of uploads that this browser left unfinished say how far they came, or go on by themselves. */
  async restore() {
    for (const record of await unfinished(this.place)) {
      const row = serverRow(record.asset);
      if (!row?.classList.contains("waiting")) {
        await forget(record.key);
        continue;
      }
      this.left.set(record.key, record.asset);
      row.querySelector(".detail").textContent = say("upload_stopped", { percent: record.percent });
      const file = await held(record.key);
      if (file && !this.known.has(record.key)) this.add(file);
    }
  }
}

const zones = [];
for (const root of document.querySelectorAll("[data-upload]")) {
  if (root.querySelector("form")) zones.push(new Zone(root));
}

document.addEventListener("paste", (event) => {
  if (event.target.closest?.("input, textarea") || !event.clipboardData?.files.length || !zones.length) return;
  zones[0].take([...event.clipboardData.files]);
});
/* A file dropped beside the zone must not replace the page. */
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}
window.addEventListener("beforeunload", (event) => {
  if (active.size) event.preventDefault();
});
