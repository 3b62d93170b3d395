/* The inbox: single keys, choosing several, and a list that is fresh without moving under the reader. */
import { keepKeys, keysOn, onKeys } from "./inbox-keys.js";

const page = document.querySelector("[data-inbox]");
const EVERY_MS = 15000;

const rows = () => [...page.querySelectorAll("[data-row]")];
const linkOf = (row) => row?.querySelector("h2 a");
const current = () => document.activeElement?.closest?.("[data-row]");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  linkOf(all[next])?.focus();
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[name=thread]")?.click(),
  "/": () => page.querySelector("input[type=search]")?.focus(),
  "?": () => document.getElementById("keys")?.showModal?.(),
};

/* What was chosen, what has the focus and how far the page is scrolled stay as they were. */
function put(html) {
  const list = document.getElementById("inbox-list");
  const chosen = new Set([...list.querySelectorAll("input[name=thread]:checked")].map((box) => box.value));
  const focused = current()?.dataset.row;
  const onBox = document.activeElement?.name === "thread";
  const other = document.activeElement !== document.body && list.contains(document.activeElement) && !focused;
  if (other) return false;
  list.innerHTML = html;
  for (const row of rows()) {
    const box = row.querySelector("input[name=thread]");
    if (box && chosen.has(row.dataset.row)) box.checked = true;
    if (row.dataset.row === focused) (onBox ? box : linkOf(row))?.focus({ preventScroll: true });
  }
  reveal();
  window.htmx?.process?.(list);
  return true;
}

let tag = "";
async function refresh() {
  const more = rows().length > 24; // earlier pages were added by hand: leave them
  if (!page.dataset.live || document.hidden || more) return;
  try {
    const answer = await fetch(page.dataset.live, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status !== 200 || answer.redirected) return;
    const fresh = answer.headers.get("ETag") ?? "";
    if (!tag || put(await answer.text())) tag = fresh;
  } catch {
    // Offline: the next round tries again.
  }
}

function reveal() {
  page.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });
}

if (page) {
  reveal();
  onKeys(ACTIONS);
  page.addEventListener("change", (event) => {
    if (!event.target.matches("[data-check-all]")) return;
    page.querySelectorAll("input[name=thread]").forEach((box) => { box.checked = event.target.checked; });
  });
  const toggle = document.querySelector("[data-keys-on]");
  if (toggle) {
    toggle.checked = keysOn();
    toggle.addEventListener("change", () => keepKeys(toggle.checked));
  }
  refresh();
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
}
