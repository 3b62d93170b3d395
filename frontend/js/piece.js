/* A piece in 3D on click: poster first, then the public preview with alloys, wall thickness and named spots. */
import { color, metals, show as stand } from "./piece/show.js";
import { drawRamp } from "./ramp.js";

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
    const { viewer, told } = await stand(root);
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
