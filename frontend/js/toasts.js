/* Short messages at the foot of the page. They wait while pointed at or focused; errors stay until closed. */
const STAY = 7000;

function region() {
  return document.getElementById("toasts");
}

function arm(element) {
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    if (!element.classList.contains("error")) timer = setTimeout(() => dismiss(element), STAY);
  };
  element.addEventListener("pointerenter", stop);
  element.addEventListener("pointerleave", start);
  element.addEventListener("focusin", stop);
  element.addEventListener("focusout", start);
  start();
}

function dismiss(element) {
  element.classList.add("leaving");
  setTimeout(() => element.remove(), 250);
}

/* Show `text`. kind: "message" | "success" | "error". */
export function toast(text, kind = "message") {
  const template = document.getElementById("toast-template");
  if (!template || !region()) return;
  const element = template.content.firstElementChild.cloneNode(true);
  element.classList.toggle("error", kind === "error");
  element.querySelector(".toast-text").textContent = text;
  region().append(element);
  arm(element);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-dismiss]");
  if (button) dismiss(button.closest(".toast"));
});
document.querySelectorAll(".toast").forEach(arm);
/* The server may send a toast with any htmx answer: HX-Trigger: {"toast": {"text": "…", "kind": "success"}} */
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.kind));
