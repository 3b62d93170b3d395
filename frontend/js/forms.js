/* One post per press, Enter that respects input methods, Ctrl/Cmd+Enter that sends. */
const busy = new WeakSet();

function setBusy(form, submitter) {
  busy.add(form);
  form.setAttribute("aria-busy", "true");
  submitter?.setAttribute("aria-busy", "true");
}

function setIdle(form) {
  busy.delete(form);
  form.removeAttribute("aria-busy");
  form.querySelectorAll('[aria-busy="true"]').forEach((button) => button.removeAttribute("aria-busy"));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented && !form.matches("[hx-post],[hx-put],[hx-patch],[hx-delete],[hx-get]")) return;
  if (form.method === "get" || form.method === "dialog") return;
  if (busy.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  setBusy(form, event.submitter);
  /* A download leaves the page where it is, so nothing else would make the button work again. */
  if ("download" in form.dataset) setTimeout(() => setIdle(form), 3000);
}, true);

document.addEventListener("htmx:finally:request", (event) => {
  const form = event.target.closest?.("form");
  if (form) setIdle(form);
});
/* Back from the browser's page cache: the buttons work again. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[aria-busy]").forEach(setIdle);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  /* 229: some input methods report the Enter that picks a candidate as an ordinary key. */
  if (event.isComposing || event.keyCode === 229) {
    event.stopPropagation();
    return;
  }
  const field = event.target;
  if ((event.ctrlKey || event.metaKey) && field instanceof HTMLTextAreaElement && field.form) {
    event.preventDefault();
    field.form.requestSubmit(field.form.querySelector('[type="submit"]') ?? undefined);
  }
}, true);

document.querySelector(".error-summary[autofocus], .error-summary")?.focus();
