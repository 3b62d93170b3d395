/* A piece in 3D on click: poster first, then the public preview with alloys and named spots. */
const METALS = { yellow: [1, 0.79, 0.43], rose: [0.95, 0.66, 0.53], white: [0.87, 0.85, 0.81], platinum: [0.8, 0.79, 0.78], silver: [0.96, 0.95, 0.93] };

/* What a GLB says of itself: how far it lies off the CAD, and where its largest stones are. */
async function extras(src) {
  const answer = await fetch(src);
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = await answer.arrayBuffer();
  const length = new DataView(bytes).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, length))).asset.extras ?? {};
}

function color(viewer, name) {
  for (const material of viewer.model?.materials ?? []) {
    const look = material.pbrMetallicRoughness;
    if (look.roughnessFactor > 0.05) look.setBaseColorFactor([...METALS[name], 1]);
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
    color(viewer, root.querySelector('[name="piece-alloy"]:checked')?.value ?? "yellow");
    root.addEventListener("change", (event) => event.target.name === "piece-alloy" && color(viewer, event.target.value));
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
