/* Drop zones: choose, drop or paste files; three at a time they are read, announced, sent to the object store and completed. */
import { Refused, send } from "./upload-transfer.js";
import { createRow, size } from "./upload-row.js";
import { say } from "./words.js";

const AT_ONCE = 3;

class Zone {
  constructor(root) {
    this.root = root;
    this.settings = root.dataset;
    this.form = root.querySelector("form");
    this.input = root.querySelector('input[type="file"]');
    this.rows = document.getElementById(root.dataset.rows);
    this.waiting = [];
    this.active = 0;
    this.known = new Set();
    root.querySelector("[data-upload-fallback]")?.remove();
    this.input.required = false;
    this.listen();
  }

  listen() {
    this.input.addEventListener("change", () => {
      this.take(this.input.files);
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
      this.take(event.dataTransfer.files);
    });
    document.addEventListener("paste", (event) => {
      if (event.target.closest?.("input, textarea")) return;
      if (event.clipboardData?.files.length) this.take(event.clipboardData.files);
    });
  }

  take(files) {
    for (const file of this.input.multiple ? files : [...files].slice(0, 1)) {
      const identity = `${file.name}/${file.size}/${file.lastModified}`;
      const row = createRow(file, this.rows);
      const refusal = this.refuse(file, identity);
      if (refusal) {
        row.fail(refusal);
        continue;
      }
      this.known.add(identity);
      row.onRetry = () => this.queue(file, row);
      row.onRemove = () => this.known.delete(identity);
      this.queue(file, row);
    }
  }

  refuse(file, identity) {
    const most = Number(this.settings.maxBytes);
    if (this.known.has(identity)) return say("upload_twice", { name: file.name });
    if (file.size === 0) return say("upload_empty", { name: file.name });
    if (most && file.size > most) {
      return say("upload_too_big", { name: file.name, size: size(file.size), limit: size(most) });
    }
    return "";
  }

  queue(file, row) {
    row.wait();
    this.waiting.push({ file, row });
    this.next();
  }

  async next() {
    if (this.active >= AT_ONCE || !this.waiting.length) return;
    const { file, row } = this.waiting.shift();
    if (row.canceled) return this.next();
    this.active += 1;
    try {
      await send(file, row, this.settings);
    } catch (error) {
      if (!row.canceled) row.fail(error.message || say("upload_failed"), !(error instanceof Refused));
    } finally {
      this.active -= 1;
      this.next();
    }
  }
}

const zones = [...document.querySelectorAll("[data-upload]")].filter((root) => root.querySelector("form")).map((root) => new Zone(root));

/* A file dropped beside the zone must not replace the page. */
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}
window.addEventListener("beforeunload", (event) => {
  if (zones.some((zone) => zone.active)) event.preventDefault();
});
