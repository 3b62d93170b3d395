/* Puts the public likeness into its frame: fetched, loaded, ready to turn. Used by the piece page and by a brief's pins. */
const LOOKS = { yellow: [1, 0.79, 0.43], rose: [0.95, 0.66, 0.53], white: [0.87, 0.85, 0.81], platinum: [0.8, 0.79, 0.78], silver: [0.96, 0.95, 0.93] };
const SETTINGS = { "camera-controls": "", "environment-image": "neutral", "tone-mapping": "neutral", "interaction-prompt": "none", "shadow-intensity": "0.6",
  "shadow-softness": "1", exposure: "1.1", "camera-orbit": "25deg 68deg auto", "touch-action": "pan-y", "disable-tap": "" };

/* What a GLB says of itself: how far it lies off the CAD, and where its largest stones are. */
async function extras(src) {
  const answer = await fetch(src);
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = await answer.arrayBuffer();
  const length = new DataView(bytes).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, length))).asset.extras ?? {};
}

/* The materials that are metal: a stone is a perfect mirror. */
export const metals = (viewer) => (viewer.model?.materials ?? []).map((one) => one.pbrMetallicRoughness).filter((look) => look.roughnessFactor > 0.05);

export function color(viewer, name) {
  for (const look of metals(viewer)) {
    look.baseColorTexture.setTexture(null);
    look.setMetallicFactor(1);
    look.setRoughnessFactor(0.15);
    look.setBaseColorFactor([...(LOOKS[name] ?? LOOKS.yellow), 1]);
  }
}

/* Resolves to {viewer, told} once the model stands in the frame's stage; rejects when it cannot. */
export async function show(root) {
  const [{ ready }, told] = await Promise.all([import(root.dataset.script), extras(root.dataset.src)]);
  await ready;
  const viewer = document.createElement("model-viewer");
  viewer.setAttribute("alt", root.dataset.alt);
  for (const [name, value] of Object.entries(SETTINGS)) viewer.setAttribute(name, value);
  root.querySelector('[data-part="stage"]').replaceChildren(viewer);
  await new Promise((done, failed) => {
    viewer.addEventListener("load", done, { once: true });
    viewer.addEventListener("error", failed, { once: true });
    viewer.src = root.dataset.src;
  });
  return { viewer, told };
}
