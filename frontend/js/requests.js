/* htmx with our CSRF header, and failures said in words. 4xx answers are swapped by htmx 4 itself: a 422 shows the form again. */
import htmx from "htmx.org";
import { csrfToken, say } from "./words.js";
import { toast } from "./toasts.js";
import { ask } from "./dialogs.js";

window.htmx = htmx;

document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail.ctx.request;
  if (!/^(GET|HEAD|QUERY)$/i.test(request.method)) request.headers["X-CSRF-Token"] = csrfToken();
});

/* A server fault must not replace what the person was working on. The page stays; a toast says so. */
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response.status;
  const polled = ctx.sourceEvent?.type === "every" || ctx.sourceElement?.getAttribute("hx-trigger")?.startsWith("every");
  if (status === 401) {
    event.preventDefault();
    location.reload();
  } else if (status >= 500 || status === 429) {
    event.preventDefault();
    if (!polled) {
      const reference = ctx.response.headers.get("X-Request-ID");
      const text = status === 429 ? say("too_many") : say("server_error");
      toast(reference ? `${text} (${reference.slice(0, 8)})` : text, "error");
    }
  }
});

document.addEventListener("htmx:error", (event) => {
  const source = event.detail.ctx?.sourceElement;
  if (source?.getAttribute("hx-trigger")?.startsWith("every")) return;
  toast(navigator.onLine ? say("no_answer") : say("offline"), "error");
});

document.addEventListener("htmx:confirm", (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  if (!ctx.confirm) return;
  event.preventDefault();
  ask(ctx.confirm).then((yes) => (yes ? issueRequest() : dropRequest()));
});

/* After a refused form the error summary takes the focus; the shared live region speaks data-announce. */
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx?.target;
  const scope = target instanceof Element && target.isConnected ? target : document;
  if (event.detail.ctx?.response?.status === 422) scope.querySelector(".error-summary")?.focus();
  const announcement = scope.querySelector("[data-announce]")?.dataset.announce;
  const region = document.getElementById("live");
  if (announcement && region && region.textContent !== announcement) region.textContent = announcement;
});
