/* Findings as pins on the piece: pressing one, or its line in the list, flies the camera there. */
import { Vector3 } from "three";

export class Pins {
  constructor(stage, layer, { turn, pick, words }) {
    this.stage = stage;
    this.layer = layer;
    this.turn = turn;
    this.pick = pick;
    this.words = words;
    this.pins = [];
    stage.after.push(() => this.place());
    stage.settled.push(() => this.occlude());
  }

  set(list) {
    this.layer.replaceChildren();
    this.pins = list.map((item) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `pin ${item.severity}`;
      button.textContent = item.n;
      button.title = item.text;
      button.setAttribute("aria-label", `${item.n}: ${item.text}`);
      button.addEventListener("click", () => this.visit(item.n));
      this.layer.append(button);
      return { ...item, button, at: this.turn(new Vector3(...item.place)) };
    });
    this.place();
  }

  visit(n) {
    const pin = this.pins.find((one) => one.n === n);
    if (!pin) return false;
    this.stage.visit(pin.at);
    for (const one of this.pins) one.button.toggleAttribute("data-chosen", one === pin);
    document.querySelectorAll("[data-pin]").forEach((line) => line.toggleAttribute("data-chosen", Number(line.dataset.pin) === n));
    return true;
  }

  place() {
    for (const pin of this.pins) {
      const at = this.stage.project(pin.at);
      pin.button.hidden = at.z > 1;
      pin.button.style.translate = `${at.x}px ${at.y}px`;
    }
  }

  /* A pin behind the metal is drawn faint. */
  occlude() {
    for (const pin of this.pins) {
      const far = this.stage.camera.position.distanceTo(pin.at);
      const at = this.stage.project(pin.at);
      const hit = this.pick(at.x / this.stage.place.clientWidth, at.y / this.stage.place.clientHeight);
      pin.button.toggleAttribute("data-behind", Boolean(hit) && hit.distance < far - this.stage.radius * 0.03);
    }
  }
}
