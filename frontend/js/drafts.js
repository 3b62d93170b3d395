/* Text typed into a textarea with data-draft-key is kept on this device until it is sent. */
const PREFIX = "draft:";
let timer;

const read = (key) => {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
};
const write = (key, text) => {
  try {
    if (text) localStorage.setItem(PREFIX + key, text);
    else localStorage.removeItem(PREFIX + key);
  } catch {
    /* Storage is full or forbidden: the text stays in the field. */
  }
};

function restore(scope) {
  scope.querySelectorAll("textarea[data-draft-key]").forEach((field) => {
    const kept = read(field.dataset.draftKey);
    if (kept && !field.value) {
      field.value = kept;
      const note = document.getElementById(field.dataset.draftNote ?? "");
      if (note) note.hidden = false;
    }
  });
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.dataset?.draftKey) return;
  clearTimeout(timer);
  timer = setTimeout(() => write(field.dataset.draftKey, field.value), 400);
});

const forget = (form) => form.querySelectorAll("[data-draft-key]").forEach((field) => {
  clearTimeout(timer);
  write(field.dataset.draftKey, "");
});
/* A plain post that fails comes back with the text in the form, so forgetting at submit loses nothing. */
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && !event.target.matches("[hx-post]")) forget(event.target);
});
document.addEventListener("htmx:after:request", (event) => {
  const form = event.target.closest?.("form");
  if (form && event.detail.ctx.response?.status < 400) forget(form);
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.target instanceof Element) restore(event.detail.ctx.target);
});
restore(document);
