/* Chinese text on a page in another language: ask for the fallback font slices once, and only then. */
const HAN = /[\u3400-\u9fff]/;

function check() {
  const href = document.documentElement.dataset.cjk;
  if (!href || !HAN.test(document.body.textContent)) return;
  delete document.documentElement.dataset.cjk;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}

(window.requestIdleCallback ?? setTimeout)(check);
document.addEventListener("htmx:after:swap", check);
