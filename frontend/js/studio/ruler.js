/* Two points and the millimeters between them; also by keyboard, with the crosshair in the middle of the stage. */
import { BufferGeometry, Line, LineBasicMaterial, Mesh, MeshBasicMaterial, Raycaster, SphereGeometry, Vector2 } from "three";

const INK = 0x1f4a3d;

export class Ruler {
  constructor(stage, label, format) {
    this.stage = stage;
    this.label = label;
    this.format = format;
    this.ray = new Raycaster();
    this.points = [];
    this.marks = [];
    this.on = false;
    stage.after.push(() => this.place());
  }

  toggle(on) {
    this.on = on;
    if (!on) this.clear();
  }

  clear() {
    this.marks.forEach((mark) => mark.removeFromParent());
    this.marks = [];
    this.points = [];
    this.label.hidden = true;
    this.stage.draw();
  }

  /* The first visible surface under a spot of the stage (0..1 from its start and top). */
  hit(x, y, objects) {
    this.ray.setFromCamera(new Vector2(x * 2 - 1, 1 - y * 2), this.stage.camera);
    return this.ray.intersectObjects(objects, false).find((found) => (found.object.material.clippingPlanes ?? []).every((plane) => plane.distanceToPoint(found.point) >= 0));
  }

  /* Add a point; returns mm after the second one. */
  add(point) {
    if (this.points.length === 2) this.clear();
    this.points.push(point.clone());
    const dot = new Mesh(new SphereGeometry(this.stage.radius * 0.012, 16, 12), new MeshBasicMaterial({ color: INK, depthTest: false }));
    dot.renderOrder = 5;
    dot.position.copy(point);
    this.show(dot);
    if (this.points.length < 2) return undefined;
    const line = new Line(new BufferGeometry().setFromPoints(this.points), new LineBasicMaterial({ color: INK, depthTest: false }));
    line.renderOrder = 5;
    this.show(line);
    const mm = this.points[0].distanceTo(this.points[1]);
    this.label.textContent = this.format(mm);
    this.label.hidden = false;
    this.place();
    return mm;
  }

  show(mark) {
    this.marks.push(mark);
    this.stage.scene.add(mark);
    this.stage.draw();
  }

  place() {
    if (this.points.length < 2) return;
    const at = this.stage.project(this.points[0].clone().lerp(this.points[1], 0.5));
    this.label.style.translate = `${at.x}px ${at.y}px`;
  }
}
