/* A customization brief: pins on the public likeness, and rows of the form that come and go without a round trip.
   The form works without this; a pin is a place beside the named part, never instead of the description. */
import { color, metals, show } from "./piece/show.js";

const frames = new WeakMap();
const CLICK = 6;

const read = (text) => {
  try {
    return JSON.parse(text) ?? [];
  } catch {
    return [];
  }
};

class Frame {
  constructor(root, viewer) {
    this.root = root;
    this.viewer = viewer;
    this.scale = Number(root.dataset.scale);
    this.form = root.closest("form");
    this.pins = new Map();
    for (const pin of read(root.dataset.pins)) this.pin(pin.row, pin.point);
    if (this.form) this.wire();
  }

  /* Show (or move) the pin of a row; `point` in mm from the middle of the piece. */
  pin(row, point) {
    this.pins.get(row)?.remove();
    const place = point.map((mm) => mm / this.scale);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "hotspot brief-pin";
    button.slot = `hotspot-pin-${row}`;
    button.dataset.position = place.join(" ");
    button.dataset.normal = place.map((value) => value * 2 || 0).join(" ");
    button.addEventListener("click", () => this.visit(row));
    this.pins.set(row, button);
    this.viewer.append(button);
    this.number();
  }

  unpin(row) {
    this.pins.get(row)?.remove();
    this.pins.delete(row);
    this.number();
  }

  /* The number a pin bears is that of its line: its place among the pins. */
  number() {
    [...this.pins.keys()].sort((a, b) => a - b).forEach((row, place) => {
      const button = this.pins.get(row);
      button.textContent = place + 1;
      button.setAttribute("aria-label", this.root.dataset.pinWord.replace("0", place + 1));
      const chip = this.form?.querySelector(`[data-row="${row}"] [data-part="pin-number"]`);
      if (chip) chip.textContent = place + 1;
    });
  }

  visit(row) {
    const button = this.pins.get(row);
    if (!button) return;
    const [x, y, z] = button.dataset.position.split(" ");
    this.viewer.cameraTarget = `${x}m ${y}m ${z}m`;
    this.viewer.fieldOfView = "16deg";
    for (const [key, one] of this.pins) one.toggleAttribute("data-chosen", key === row);
    document.querySelectorAll("[data-pin-line]").forEach((line) => line.toggleAttribute("data-chosen", Number(line.dataset.pinLine) === row));
  }

  /* Placing a pin: a press on the piece while the tool is on, or the middle of the view for the keyboard. */
  wire() {
    const tool = this.root.querySelector('[data-tool="pin"]');
    tool.addEventListener("click", () => this.arm(tool.getAttribute("aria-pressed") !== "true"));
    this.root.querySelector('[data-tool="middle"]').addEventListener("click", () => {
      const box = this.viewer.getBoundingClientRect();
      this.place(box.left + box.width / 2, box.top + box.height / 2);
    });
    let down;
    this.viewer.addEventListener("pointerdown", (event) => (down = [event.clientX, event.clientY]), true);
    this.viewer.addEventListener("pointerup", (event) => {
      if (!this.armed || !down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > CLICK) return;
      if (event.target === this.viewer) this.place(event.clientX, event.clientY);
    }, true);
    for (const tool of this.root.querySelectorAll("[data-tool]")) tool.hidden = false;
  }

  arm(on) {
    this.armed = on;
    this.root.querySelector('[data-tool="pin"]').setAttribute("aria-pressed", String(on));
    this.root.toggleAttribute("data-pinning", on);
    this.say(on ? this.root.dataset.pinHelp : "");
  }

  place(x, y) {
    const hit = this.viewer.positionAndNormalFromPoint(x, y);
    if (!hit) return this.say(this.root.dataset.pinMissed);
    const point = [hit.position.x, hit.position.y, hit.position.z].map((value) => Math.round(value * this.scale * 100) / 100);
    const stone = this.viewer.materialFromPoint(x, y)?.pbrMetallicRoughness.roughnessFactor <= 0.05;
    const line = this.target ?? addRow(this.form, "edit");
    this.target = undefined;
    line.querySelector('[name$="-point"]').value = point.join(",");
    const part = line.querySelector('[name$="-body"]');
    if (!part.value) part.value = stone ? "stone" : "metal";
    line.toggleAttribute("data-pinned", true);
    this.pin(Number(line.dataset.row), point);
    this.arm(false);
    line.querySelector("textarea").focus();
    return this.say("");
  }

  say(text) {
    this.root.querySelector('[data-part="told"]').textContent = text ?? "";
  }
}

async function open(root) {
  if (frames.has(root)) return frames.get(root);
  const opening = (async () => {
    root.dataset.state = "loading";
    const { viewer } = await show(root);
    if (metals(viewer).length) color(viewer, root.dataset.look);
    root.dataset.state = "open";
    return new Frame(root, viewer);
  })().catch(() => {
    frames.delete(root);
    root.dataset.state = "failed";
    return undefined;
  });
  frames.set(root, opening);
  return opening;
}

function addRow(form, kind) {
  const pattern = form.querySelector(`template[data-brief-row="${kind}"]`);
  const numbers = [...form.querySelectorAll("[data-row]")].map((row) => Number(row.dataset.row));
  const number = Math.max(-1, ...numbers) + 1;
  const holder = document.createElement("template");
  holder.innerHTML = pattern.innerHTML.replaceAll("__n__", number);
  const row = holder.content.firstElementChild;
  form.querySelector("[data-brief-rows]").append(row);
  return row;
}

document.addEventListener("click", async (event) => {
  const opener = event.target.closest?.("[data-open-brief]");
  if (opener) {
    const frame = await open(opener.closest("[data-brief-view]"));
    frame?.viewer.focus();
  }
  const line = event.target.closest?.("[data-pin-line]");
  if (line) {
    const root = document.querySelector("[data-brief-view]");
    const frame = root && (await open(root));
    root?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    frame?.visit(Number(line.dataset.pinLine));
  }
  const form = event.target.closest?.("form");
  const add = event.target.closest?.('[name="brief-add"]');
  const drop = event.target.closest?.('[name="brief-drop"]');
  const again = event.target.closest?.("[data-repin]");
  const root = form?.querySelector("[data-brief-view]");
  if (add) {
    event.preventDefault();
    addRow(form, add.value).querySelector("select, input:not([type=hidden]), textarea").focus();
  }
  if (drop) {
    event.preventDefault();
    const row = drop.closest("[data-row]");
    if (root) (await frames.get(root))?.unpin(Number(row.dataset.row));
    (row.previousElementSibling ?? form.querySelector('[name="brief-add"]'))?.focus?.();
    row.remove();
  }
  if (again) {
    event.preventDefault();
    const row = again.closest("[data-row]");
    const frame = await open(root);
    if (frame) {
      frame.target = row;
      frame.arm(true);
      root.scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
  }
});
