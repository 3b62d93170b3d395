/* Native dialogs: data-open="id" opens, data-close closes, a click on the veil closes. Without a script the trigger's href leads
   to a page with the same form. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.open);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest?.("[data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
    return;
  }
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && event.clientX) event.target.close();
  }
});

/* Ask with the page's own dialog; resolves to true or false. */
export function ask(question) {
  const dialog = document.getElementById("ask");
  if (!dialog?.showModal) return Promise.resolve(window.confirm(question));
  dialog.querySelector(".ask-text").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/* data-confirm on a form asks before the post and repeats what is about to happen. */
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (!question || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(question).then((yes) => {
      if (!yes) return;
      form.dataset.confirmed = "1";
      form.requestSubmit(event.submitter ?? undefined);
      delete form.dataset.confirmed;
    });
  },
  true,
);

/* A dialog that came back from the server with errors is open again. */
document.querySelectorAll("dialog[data-show]").forEach((dialog) => dialog.showModal?.());
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("dialog[data-show]:not([open])").forEach((dialog) => dialog.showModal?.());
});
