/* On wide screens: the inbox beside the thread. Each thread keeps its own address; j and k go to the next and the previous. */
import { onKeys } from "./inbox-keys.js";

const frame = document.querySelector("[data-pane]");
const wide = window.matchMedia("(min-width: 90rem)");

async function fill() {
  const pane = frame.querySelector(".thread-pane");
  if (!wide.matches || pane.childElementCount) return;
  try {
    const answer = await fetch(frame.dataset.pane, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    pane.innerHTML = await answer.text();
    const here = pane.querySelector("[aria-current]")?.closest("li");
    if (here) pane.scrollTop = here.offsetTop - pane.clientHeight / 3;
  } catch {
    frame.classList.remove("with-pane"); // no list: the thread takes the whole width
  }
}

function go(step) {
  const links = [...frame.querySelectorAll(".thread-pane [data-row] a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[at < 0 ? 0 : at + step];
  if (next) window.location.assign(next.href);
}

if (frame) {
  fill();
  wide.addEventListener("change", fill);
  onKeys({ j: () => go(1), k: () => go(-1) });
}
