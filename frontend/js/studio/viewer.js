/* The owner's own view of a CAD file: turn, measure, cut, see how thick it is, tell metal from stone. Loaded when asked for. */
import { BufferAttribute, BufferGeometry, Matrix4, Mesh, Plane, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { drawRamp } from "../ramp.js";
import { Looks, paint } from "./looks.js";
import { Pins } from "./pins.js";
import { Ruler } from "./ruler.js";
import { Stage, VIEWS } from "./scene.js";

const AXES = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
const STEP = Math.PI / 12;
const CLICK = 5;

const read = (text, fallback) => {
  try {
    return JSON.parse(text);
  } catch {
    return fallback;
  }
};

/* A copy with plain numbers: quantized points would be cut off when they are turned or scaled. */
function plain(source) {
  const made = new BufferGeometry();
  for (const name of ["position", "normal", "_wall"]) {
    const from = source.getAttribute(name);
    if (!from) continue;
    const to = new Float32Array(from.count * from.itemSize);
    for (let i = 0; i < from.count; i += 1) for (let k = 0; k < from.itemSize; k += 1) to[i * from.itemSize + k] = from.getComponent(i, k);
    made.setAttribute(name, new BufferAttribute(to, from.itemSize));
  }
  made.setIndex(source.index);
  return made;
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.data = () => document.getElementById("stage-data").dataset;
    this.words = root.dataset;
    this.number = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.stage = new Stage(this.part("stage"));
    this.looks = new Looks();
    this.bodies = [];
    this.ruler = new Ruler(this.stage, this.part("length"), (mm) => `${this.number.format(mm)} mm`);
    this.pins = new Pins(this.stage, this.part("pins"), { turn: (point) => this.upright(point), pick: (x, y) => this.pick(x, y), words: this.words });
    drawRamp(this.part("ramp"));
    this.wire();
  }

  /* From the coordinates of the file to those of the stage, where the piece stands upright. */
  upright(thing) {
    const [a, b, c, d, e, f, g, h, i] = read(this.data().turn, [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    return thing.applyMatrix4(new Matrix4().set(a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 1));
  }

  pick(x, y) {
    return this.ruler.hit(x, y, this.bodies.filter((body) => body.mesh.visible).map((body) => body.mesh));
  }

  async load() {
    const data = this.data();
    this.key = data.key;
    const answer = await fetch(data.src);
    if (!answer.ok) throw new Error(String(answer.status));
    const scene = await new GLTFLoader().parseAsync(await answer.arrayBuffer(), "");
    this.stage.clear();
    this.choose(undefined);
    const known = new Map(read(data.bodies, []).map((body) => [body.index, body]));
    const scale = Number(data.scale) || 1;
    this.bodies = [];
    scene.scene.updateMatrixWorld(true);
    scene.scene.traverse((item) => {
      if (!item.isMesh) return;
      const geometry = plain(item.geometry).applyMatrix4(item.matrixWorld);
      if (scale !== 1) geometry.scale(scale, scale, scale);
      if (data.exact) this.upright(geometry);
      if (!geometry.hasAttribute("normal")) geometry.computeVertexNormals();
      const index = Number(/^body-(\d+)/.exec(item.name || item.parent?.name || "")?.[1] ?? -1);
      const told = known.get(index);
      const body = { index, mesh: new Mesh(geometry), kind: told?.kind ?? (item.material.roughness < 0.05 ? "stone" : "metal"), species: told?.species ?? "", told };
      body.heat = paint(geometry);
      body.mesh.userData.body = body;
      this.bodies.push(body);
      this.stage.model.add(body.mesh);
    });
    this.heatable = this.bodies.some((body) => body.heat);
    this.button("heat").hidden = !this.heatable;
    this.dress();
    this.stage.frame();
    this.pins.set(data.exact ? read(data.pins, []) : []);
    this.list();
    this.root.dataset.state = "open";
    this.say(this.words.ready);
  }

  dress() {
    this.bodies.forEach((body) => this.looks.dress(body, this.heated));
    this.looks.clip(this.plane ? [this.plane] : [], this.bodies);
    this.stage.draw();
  }

  button(name) {
    return this.root.querySelector(`[data-tool="${name}"]`);
  }

  press(name, on) {
    const button = this.button(name);
    const next = on ?? button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(next));
    return next;
  }

  heat(on) {
    if (!this.heatable) return;
    this.heated = this.press("heat", on);
    this.part("legend").hidden = !this.heated;
    this.dress();
  }

  section(on) {
    const cut = this.press("section", on);
    this.part("cutter").hidden = !cut;
    this.plane = cut ? new Plane() : undefined;
    if (cut) this.slide();
    this.dress();
  }

  slide() {
    if (!this.plane || !this.stage.box) return;
    const axis = this.root.querySelector('[name="cut-axis"]:checked')?.value ?? "x";
    const way = new Vector3(...AXES[axis]);
    const low = this.stage.box.min.dot(way);
    const high = this.stage.box.max.dot(way);
    const slider = this.part("cut");
    const at = low + (high - low) * (slider.value / 1000);
    this.plane.set(way.negate(), at);
    const told = `${this.number.format(at - low)} mm`;
    slider.setAttribute("aria-valuetext", told);
    this.part("cut-at").textContent = told;
    this.stage.draw();
  }

  measure(on) {
    const ruling = this.press("ruler", on);
    this.ruler.toggle(ruling);
    this.root.toggleAttribute("data-ruling", ruling);
    if (ruling) this.say(this.words.rulerHelp);
    else this.say("");
  }

  /* One click on the piece: a point of the ruler, else the body under it. */
  click(x, y) {
    const hit = this.pick(x, y);
    if (!hit) return this.ruler.on ? undefined : this.choose(undefined);
    if (!this.ruler.on) return this.choose(hit.object.userData.body);
    const mm = this.ruler.add(hit.point);
    return this.say(mm === undefined ? this.words.rulerSecond : `${this.number.format(mm)} mm`);
  }

  list() {
    const place = this.part("bodies");
    if (!place) return;
    place.replaceChildren();
    const named = this.bodies.filter((body) => body.told);
    for (const body of named.slice(0, 60)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.textContent = this.title(body);
      button.addEventListener("click", () => this.choose(body));
      body.chip = button;
      place.append(button);
    }
    this.part("bodies-box").hidden = named.length < 2;
  }

  title(body) {
    const kind = body.kind === "stone" ? body.told?.shown || this.words.stone : this.words.metal;
    return `${body.index + 1} · ${kind}`;
  }

  choose(body) {
    if (this.chosen) {
      this.looks.mark(this.chosen, false);
      this.chosen.chip?.removeAttribute("aria-current");
    }
    this.chosen = body?.told ? body : undefined;
    const box = this.part("body");
    if (box) box.hidden = !this.chosen;
    if (this.chosen) {
      this.looks.mark(body, true);
      body.chip?.setAttribute("aria-current", "true");
      this.part("body-title").textContent = [this.title(body), body.told.name].filter(Boolean).join(" · ");
      const role = this.root.querySelector('[data-part="role"]');
      role.value = body.kind === "stone" ? `stone:${body.species}` : body.kind;
      this.root.querySelector('[name="roles"]').value = `${body.index}:${role.value}`;
    }
    this.stage.draw();
  }

  say(text) {
    this.part("told").textContent = text ?? "";
  }

  keys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const views = Object.values(VIEWS);
    const tools = { h: () => this.heat(), s: () => this.section(), r: () => this.measure() };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (steps[key]) this.stage.orbit(...steps[key]);
    else if (key === "+" || key === "=") this.stage.zoom(0.85);
    else if (key === "-") this.stage.zoom(1.18);
    else if (key === "0" || key === "Home") this.stage.look([0.62, 0.42, 1]);
    else if (/^[1-6]$/.test(key)) this.stage.look(views[key - 1]);
    else if (tools[key]) tools[key]();
    else if (key === "Enter" || key === " ") this.click(0.5, 0.5);
    else if (key === "Escape") this.ruler.clear();
    else return;
    event.preventDefault();
  }

  wire() {
    const { canvas } = this.stage;
    let down;
    canvas.addEventListener("pointerdown", (event) => (down = [event.clientX, event.clientY]));
    canvas.addEventListener("pointerup", (event) => {
      if (!down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > CLICK) return;
      const box = canvas.getBoundingClientRect();
      this.click((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    this.part("stage").addEventListener("keydown", (event) => event.target === this.part("stage") && this.keys(event));
    this.button("heat").addEventListener("click", () => this.heat());
    this.button("section").addEventListener("click", () => this.section());
    this.button("ruler").addEventListener("click", () => this.measure());
    this.button("home").addEventListener("click", () => this.stage.look([0.62, 0.42, 1]));
    this.part("role").addEventListener("change", (event) => (this.root.querySelector('[name="roles"]').value = `${this.chosen.index}:${event.target.value}`));
    this.part("cut").addEventListener("input", () => this.slide());
    this.root.addEventListener("change", (event) => {
      if (event.target.name === "cut-axis") this.slide();
      if (event.target.name === "look-alloy") {
        this.looks.alloy(event.target.value);
        this.heat(false);
        this.stage.draw();
      }
    });
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.root.dataset.state = "lost";
    });
  }

  visit(n) {
    return this.pins.visit(n);
  }
}

/* Build the view in `root` and load its model. Rejects without WebGL or when the file does not come. */
export async function open(root) {
  const viewer = new Viewer(root);
  const first = root.querySelector('[name="look-alloy"]:checked');
  if (first) viewer.looks.alloy(first.value);
  await viewer.load();
  return viewer;
}
