/* The page of a design: opens the 3D view when it is asked for, and keeps it in step with what lands. */
const root = document.getElementById("viewer");
let viewer;
let opening;

function webgl() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/* Signed addresses live ten minutes; a page left open asks for new ones first. */
async function fresh() {
  const data = document.getElementById("stage-data");
  if (Date.now() / 1000 - Number(data.dataset.at) < 540) return;
  await window.htmx?.ajax("GET", data.dataset.again, { target: "#results", swap: "outerHTML" });
}

function open() {
  opening ??= (async () => {
    if (!webgl()) throw new Error("no WebGL");
    root.dataset.state = "loading";
    await fresh();
    const { open: start } = await import(root.dataset.script);
    viewer = await start(root);
    root.querySelector('[data-part="stage"]').focus({ preventScroll: true });
    return viewer;
  })().catch((trouble) => {
    opening = undefined;
    root.dataset.state = "failed";
    root.querySelector('[data-part="failure"]').dataset.why = trouble.message;
    return undefined;
  });
  return opening;
}

document.addEventListener("click", async (event) => {
  if (event.target.closest?.("[data-open-viewer]")) {
    event.preventDefault();
    await open();
  }
  const line = event.target.closest?.("[data-pin]");
  if (line) {
    event.preventDefault();
    root.scrollIntoView({ block: "nearest", behavior: "smooth" });
    (await open())?.visit(Number(line.dataset.pin));
  }
});

/* What the files gave has changed: another model than the one in view is loaded into the same view. */
document.addEventListener("htmx:after:swap", () => {
  const { key, src } = document.getElementById("stage-data")?.dataset ?? {};
  root?.toggleAttribute("data-empty", !src);
  if (viewer && src && key !== viewer.key) viewer.load().catch(() => (root.dataset.state = "failed"));
});

