/* How bodies look: as metal or stone, or as a map of how thick their walls are. Colors are linear-light estimates of
   polished alloys; the legend names the map's limits. */
import { BackSide, BufferAttribute, Color, DoubleSide, Mesh, MeshBasicMaterial, MeshPhysicalMaterial, MeshStandardMaterial } from "three";
import { shade, share } from "../ramp.js";

const METALS = {
  yellow: [1.0, 0.76, 0.36], rose: [0.95, 0.62, 0.49], white: [0.85, 0.83, 0.78], platinum: [0.77, 0.76, 0.75], silver: [0.95, 0.94, 0.92],
};
const STONES = {
  sapphire: [0.05, 0.13, 0.62], ruby: [0.6, 0.02, 0.1], emerald: [0.03, 0.42, 0.2], amethyst: [0.34, 0.12, 0.55], aquamarine: [0.45, 0.78, 0.85],
  citrine: [0.9, 0.6, 0.12], garnet: [0.42, 0.02, 0.06], peridot: [0.5, 0.68, 0.1], topaz: [0.35, 0.65, 0.85], tanzanite: [0.2, 0.16, 0.6], onyx: [0.01, 0.01, 0.012],
};
const UNKNOWN = [0.55, 0.55, 0.55];
export class Looks {
  constructor() {
    this.metal = new MeshPhysicalMaterial({ metalness: 1, roughness: 0.16, clearcoat: 0.3, clearcoatRoughness: 0.08, side: DoubleSide });
    this.heat = new MeshStandardMaterial({ vertexColors: true, metalness: 0, roughness: 0.9, envMapIntensity: 0.55, side: DoubleSide });
    this.cut = new MeshBasicMaterial({ color: new Color(0.5, 0.47, 0.42), side: BackSide });
    this.chosen = new Color(0.1, 0.32, 0.22);
    this.stones = new Map();
    this.planes = [];
    this.alloy("yellow");
  }

  alloy(name) {
    this.metal.color.setRGB(...(METALS[name] ?? METALS.yellow));
    this.name = name;
  }

  stone(species) {
    if (!this.stones.has(species)) {
      const tint = Object.keys(STONES).find((name) => species.includes(name));
      const color = new Color().setRGB(...(STONES[tint] ?? [0.92, 0.95, 0.98]));
      const made = new MeshPhysicalMaterial({
        color, metalness: tint ? 0.55 : 0.75, roughness: 0.02, ior: 2.4, envMapIntensity: 1.5, flatShading: true, transparent: true, opacity: 0.9, side: DoubleSide,
      });
      made.clippingPlanes = this.planes;
      this.stones.set(species, made);
    }
    return this.stones.get(species);
  }

  /* Give a body its look. `body` is {mesh, kind, species}. */
  dress(body, heated) {
    const warm = heated && body.kind !== "stone" && body.mesh.geometry.hasAttribute("color");
    body.mesh.material = warm ? this.heat : body.kind === "stone" ? this.stone(body.species ?? "") : this.metal;
  }

  mark(body, on) {
    if (body.outline) {
      body.outline.removeFromParent();
      body.outline = undefined;
    }
    if (on) {
      const glow = new MeshBasicMaterial({ color: this.chosen, transparent: true, opacity: 0.45, depthTest: true, polygonOffset: true, polygonOffsetFactor: -1 });
      glow.clippingPlanes = this.planes;
      body.outline = new Mesh(body.mesh.geometry, glow);
      body.mesh.add(body.outline);
    }
  }

  /* Cut everything by these planes; the inside of what is cut is filled with one flat color. */
  clip(planes, bodies) {
    this.planes = planes;
    for (const made of [this.metal, this.heat, this.cut, ...this.stones.values()]) {
      made.clippingPlanes = planes;
      made.needsUpdate = true;
    }
    for (const body of bodies) {
      if (planes.length && !body.fill) {
        body.fill = new Mesh(body.mesh.geometry, this.cut);
        body.fill.renderOrder = 1;
        body.mesh.add(body.fill);
      } else if (!planes.length && body.fill) {
        body.fill.removeFromParent();
        body.fill = undefined;
      }
    }
  }
}

/* Vertex colors from the wall thickness the file carries (mm, negative: not known). Returns whether there are any. */
export function paint(geometry) {
  const walls = geometry.getAttribute("_wall");
  if (!walls) return false;
  const colors = new Float32Array(walls.count * 3);
  const tone = new Color();
  for (let i = 0; i < walls.count; i += 1) {
    const mm = walls.getX(i);
    tone.setRGB(...(mm > 0 ? shade(share(mm)) : UNKNOWN), "srgb").toArray(colors, i * 3);
  }
  geometry.setAttribute("color", new BufferAttribute(colors, 3));
  return true;
}
