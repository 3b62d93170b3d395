/* The page of a negotiation: sends without leaving the page, keeps the reader's place when something new arrives, and shows it. */
import "./inbox-pane.js";
import { csrfToken } from "./words.js";

const list = document.querySelector("[data-thread]");

function ask() {
  const line = document.getElementById("news");
  if (line) window.htmx.trigger(line, "refresh");
}

/* Where the reader is */

function atFoot() {
  const end = document.getElementById("end");
  return !end || end.getBoundingClientRect().top < window.innerHeight + 80;
}

function watchFoot() {
  const end = document.getElementById("end");
  const jump = document.querySelector("[data-jump]");
  if (!end || !jump || !("IntersectionObserver" in window)) return;
  new IntersectionObserver(([entry]) => {
    jump.hidden = entry.isIntersecting || entry.boundingClientRect.top < 0;
  }, { rootMargin: "0px 0px 80px 0px" }).observe(end);
}

/* An answer that overtook another one may bring the same line twice: the later one stays. */
function dropDoubles() {
  const found = new Map();
  for (const line of list.children) {
    if (!line.id) continue;
    found.get(line.id)?.remove();
    found.set(line.id, line);
  }
}

let follow = false;
let anchor = null;

/* The first line in sight, and how far it is from the top: a card that grows above it must not push it away. */
function hold() {
  const line = [...list.children].find((item) => item.getBoundingClientRect().bottom > 0);
  anchor = line?.id ? { id: line.id, top: line.getBoundingClientRect().top } : null;
}

function release() {
  const line = anchor && document.getElementById(anchor.id);
  if (line) window.scrollBy(0, line.getBoundingClientRect().top - anchor.top);
  anchor = null;
}

/* Sending */

function fresh(form) {
  const field = form.elements.client_key;
  if (field) field.value = `key_${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`.slice(0, 40);
}

function idle(form) {
  form.dispatchEvent(new CustomEvent("htmx:finally:request", { bubbles: true, detail: {} }));
}

/* Puts the words of the form into a bubble and empties the form; what did not go can be sent again or taken back. */
class Sending {
  constructor(form) {
    this.form = form;
    this.data = new FormData(form);
    this.url = form.action;
    this.bubble = document.getElementById("sending").content.firstElementChild.cloneNode(true);
    this.bubble.querySelector(".text").textContent = this.data.get("text") || this.data.getAll("files").map(() => "📎").join(" ");
    list.insertBefore(this.bubble, document.getElementById("news"));
    this.bubble.querySelector("[data-retry]").addEventListener("click", () => this.go());
    this.bubble.querySelector("[data-edit]").addEventListener("click", () => this.takeBack());
    this.empty();
  }

  empty() {
    const field = this.form.elements.text;
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    fresh(this.form);
    about("", "", "");
  }

  show(failed) {
    this.bubble.classList.toggle("pending", !failed);
    this.bubble.classList.toggle("unsent", failed);
    this.bubble.querySelector("[data-unsent]").hidden = !failed;
    this.bubble.querySelector("[data-state]").hidden = failed;
  }

  async go() {
    this.show(false);
    if (atFoot()) this.bubble.scrollIntoView({ block: "nearest" });
    let response;
    try {
      const headers = { "HX-Request": "true", "X-CSRF-Token": csrfToken() };
      response = await fetch(this.url, { method: "POST", body: this.data, headers, credentials: "same-origin" });
    } catch {
      response = null;
    }
    if (response?.ok) {
      this.bubble.remove();
      for (const id of this.data.getAll("files")) document.getElementById(`asset-${id}`)?.remove();
      follow = true;
      ask();
    } else if (response && response.status < 500 && response.status !== 429) {
      this.bubble.remove();
      document.getElementById("composer-place").innerHTML = await response.text();
      window.htmx.process(document.getElementById("composer-place"));
      document.getElementById("f-text")?.focus();
      ask();
    } else {
      this.show(true);
    }
  }

  takeBack() {
    const field = document.getElementById("f-text");
    if (!field) return;
    field.value = [this.data.get("text"), field.value].filter(Boolean).join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    this.bubble.remove();
  }
}

function about(term, label, version) {
  const line = document.getElementById("about-line");
  if (!line) return;
  line.hidden = !term;
  line.querySelector("[name=term]").value = term;
  line.querySelector("[name=about_version]").value = version;
  line.querySelector("[data-about-name]").textContent = label;
}

if (list) {
  list.querySelector("[data-unread]")?.scrollIntoView({ block: "center" });
  watchFoot();

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer" || event.defaultPrevented) return;
    event.preventDefault();
    const form = event.target;
    idle(form);
    if (form.elements.text.value.trim() || new FormData(form).has("files")) new Sending(form).go();
    else form.elements.text.focus();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-about]");
    if (!link || !document.getElementById("composer")) return;
    event.preventDefault();
    about(link.dataset.about, link.dataset.aboutLabel ?? "", link.dataset.aboutVersion ?? "");
    link.closest("details")?.removeAttribute("open");
    const field = document.getElementById("f-text");
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  });

  document.addEventListener("htmx:before:swap", () => {
    follow ||= atFoot();
    if (!follow) hold();
  });
  document.addEventListener("htmx:after:swap", () => {
    dropDoubles();
    if (follow) document.getElementById("end")?.scrollIntoView({ block: "end" });
    else release();
    follow = false;
  });

  /* A mark or a settled comment changes the card and the meter: ask for them. When it was refused, the page is out of date. */
  document.addEventListener("htmx:after:request", (event) => {
    if (!event.target.closest?.("[data-stirs]")) return;
    if (event.detail.ctx.response?.status < 400) ask();
    else if (event.detail.ctx.response) location.reload();
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (list.dataset.zoneUrl && zone) {
    const body = new URLSearchParams({ zone });
    fetch(list.dataset.zoneUrl, { method: "POST", body, headers: { "X-CSRF-Token": csrfToken() }, credentials: "same-origin" }).catch(() => {});
  }
}
