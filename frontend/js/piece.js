/* A piece in 3D on click: poster first, then the public preview with alloys, wall thickness and named spots. */
import { drawRamp } from "./ramp.js";

const METALS = { yellow: [1, 0.79, 0.43], rose: [0.95, 0.66, 0.53], white: [0.87, 0.85, 0.81], platinum: [0.8, 0.79, 0.78], silver: [0.96, 0.95, 0.93] };

/* What a GLB says of itself: how far it lies off the CAD, and where its largest stones are. */
async function extras(src) {
  const answer = await fetch(src);
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = await answer.arrayBuffer();
  const length = new DataView(bytes).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, length))).asset.extras ?? {};
}

const metals = (viewer) => (viewer.model?.materials ?? []).map((one) => one.pbrMetallicRoughness).filter((look) => look.roughnessFactor > 0.05);

function color(viewer, name) {
  for (const look of metals(viewer)) {
    look.baseColorTexture.setTexture(null);
    look.setMetallicFactor(1);
    look.setRoughnessFactor(0.15);
    look.setBaseColorFactor([...METALS[name], 1]);
  }
}

/* The metal as a map of how thick it is: the file says where on the ramp each point stands. */
function heat(viewer) {
  viewer.ramp ??= viewer.createCanvasTexture();
  const canvas = viewer.ramp.source.element;
  canvas.width = 256;
  canvas.height = 4;
  drawRamp(canvas);
  viewer.ramp.source.update();
  for (const look of metals(viewer)) {
    look.setMetallicFactor(0);
    look.setRoughnessFactor(0.9);
    look.setBaseColorFactor([1, 1, 1, 1]);
    look.baseColorTexture.setTexture(viewer.ramp);
  }
}

function spot(root, viewer, item, number) {
  const button = document.createElement("button");
  button.className = "hotspot";
  button.slot = `hotspot-${number}`;
  button.dataset.position = item.place.join(" ");
  button.dataset.normal = item.place.map((value) => value * 2 || 0).join(" ");
  button.type = "button";
  const words = root.dataset[`shape${item.shape[0].toUpperCase()}${item.shape.slice(1)}`] ?? root.dataset.stone;
  const format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });
  const size = [...new Set([item.length, item.width].map((value) => format.format(value)))].join(" × ");
  const label = document.createElement("span");
  label.textContent = `${words}, ${size} mm`;
  button.append(label);
  button.addEventListener("click", () => {
    const [x, y, z] = item.place;
    viewer.cameraTarget = `${x}m ${y}m ${z}m`;
    viewer.fieldOfView = "12deg";
  });
  viewer.append(button);
}

async function open(root) {
  root.dataset.state = "loading";
  try {
    const [{ ready }, told] = await Promise.all([import(root.dataset.script), extras(root.dataset.src)]);
    await ready;
    const viewer = document.createElement("model-viewer");
    viewer.setAttribute("alt", root.dataset.alt);
    for (const [name, value] of [["camera-controls", ""], ["environment-image", "neutral"], ["tone-mapping", "neutral"], ["interaction-prompt", "none"],
      ["shadow-intensity", "0.6"], ["shadow-softness", "1"], ["exposure", "1.1"], ["camera-orbit", "25deg 68deg auto"], ["touch-action", "pan-y"], ["disable-tap", ""]]) viewer.setAttribute(name, value);
    root.querySelector('[data-part="stage"]').replaceChildren(viewer);
    await new Promise((done, failed) => {
      viewer.addEventListener("load", done, { once: true });
      viewer.addEventListener("error", failed, { once: true });
      viewer.src = root.dataset.src;
    });
    (told.spots ?? []).forEach((item, number) => spot(root, viewer, item, number));
    if (told.deviation) root.querySelector('[data-part="deviation"]').textContent = root.dataset.deviation.replace("0", new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 }).format(told.deviation));
    const walls = root.querySelector('[data-part="walls"]');
    const legend = root.querySelector('[data-part="legend"]');
    const chosen = () => root.querySelector('[name="piece-alloy"]:checked')?.value ?? "yellow";
    const show = (hot) => {
      walls.setAttribute("aria-pressed", String(hot));
      legend.hidden = !hot;
      if (hot) heat(viewer);
      else color(viewer, chosen());
    };
    walls.hidden = !told.walls;
    drawRamp(legend.querySelector("canvas"));
    walls.addEventListener("click", () => show(walls.getAttribute("aria-pressed") !== "true"));
    root.addEventListener("change", (event) => event.target.name === "piece-alloy" && show(false));
    color(viewer, chosen());
    root.dataset.state = "open";
    viewer.focus();
  } catch {
    root.dataset.state = "failed";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-open-piece]");
  if (button) open(button.closest("[data-piece]"));
});
