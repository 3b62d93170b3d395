/* The stage: camera, soft boxes, orbit, and a picture drawn only when something changed. Lengths in mm, y up. */
import {
  AmbientLight, Box3, BoxGeometry, Color, Group, Mesh, MeshBasicMaterial, PerspectiveCamera, PMREMGenerator, Scene,
  NeutralToneMapping, Spherical, Vector3, WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const FOV = 28;
const HOME = [0.62, 0.42, 1];
export const VIEWS = { front: [0, 0, 1], back: [0, 0, -1], side: [1, 0, 0], other: [-1, 0, 0], top: [0, 1, 0.001], bottom: [0, -1, 0.001] };

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/* What polished metal mirrors: a gray room, two large soft boxes, a strip and a dark floor. */
function room() {
  const scene = new Scene();
  const panel = (size, place, light) => {
    const mesh = new Mesh(new BoxGeometry(...size), new MeshBasicMaterial({ color: new Color(light, light, light) }));
    mesh.position.set(...place);
    scene.add(mesh);
  };
  scene.background = new Color(0.46, 0.46, 0.465);
  panel([30, 0.1, 30], [0, -9, 0], 0.4);
  panel([7, 0.1, 5], [0, 9, 2], 14);
  panel([0.1, 8, 3], [-9, 3, 4], 11);
  panel([0.1, 8, 1.4], [9, 2, -1], 9);
  panel([5, 2.4, 0.1], [3, 4, 9], 5);
  panel([10, 0.6, 0.1], [0, 1.5, -9], 4);
  panel([0.1, 9, 1.2], [9, 0, 5], 0.02);
  panel([0.1, 9, 1.2], [-9, 0, -3], 0.02);
  return scene;
}

export class Stage {
  constructor(place) {
    this.place = place;
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: false });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.toneMappingExposure = 1.1;
    this.renderer.localClippingEnabled = true;
    this.canvas = this.renderer.domElement;
    place.prepend(this.canvas);
    this.scene = new Scene();
    this.scene.add(new AmbientLight(0xffffff, 0.12));
    const mirror = new PMREMGenerator(this.renderer);
    this.scene.environment = mirror.fromScene(room(), 0.02).texture;
    mirror.dispose();
    this.model = new Group();
    this.scene.add(this.model);
    this.camera = new PerspectiveCamera(FOV, 1, 0.05, 5000);
    this.controls = new OrbitControls(this.camera, this.canvas);
    this.controls.enableDamping = !calm();
    this.controls.dampingFactor = 0.12;
    this.controls.addEventListener("change", () => this.draw());
    this.radius = 10;
    this.after = [];
    this.settled = [];
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(place);
    this.fit();
  }

  /* Put the camera so that everything in the model is seen. */
  frame() {
    const box = new Box3().setFromObject(this.model);
    this.middle = box.getCenter(new Vector3());
    this.radius = Math.max(box.getSize(new Vector3()).length() / 2, 0.01);
    this.box = box;
    this.camera.near = this.radius / 100;
    this.camera.far = this.radius * 40;
    this.controls.minDistance = this.radius * 0.15;
    this.controls.maxDistance = this.radius * 12;
    this.look(HOME, false);
  }

  distance(share = 1) {
    const narrow = Math.min(1, this.camera.aspect);
    return ((this.radius * share) / Math.sin((FOV * Math.PI) / 360) / narrow) * 1.02;
  }

  look(direction, fly = true) {
    const way = new Vector3(...direction).normalize();
    this.fly(way.multiplyScalar(this.distance()).add(this.middle), this.middle, fly);
  }

  /* Come close to a spot, from outside of the piece. */
  visit(spot) {
    const way = spot.clone().sub(this.middle);
    if (way.lengthSq() < 1e-6) way.set(...HOME);
    way.normalize().add(this.camera.position.clone().sub(this.controls.target).normalize().multiplyScalar(0.35)).normalize();
    this.fly(way.multiplyScalar(this.distance(0.42)).add(spot), spot);
  }

  fly(position, target, smooth = true) {
    const target0 = this.controls.target.clone();
    const from = new Spherical().setFromVector3(this.camera.position.clone().sub(target0));
    const to = new Spherical().setFromVector3(position.clone().sub(target));
    let turn = to.theta - from.theta;
    turn -= Math.round(turn / (2 * Math.PI)) * 2 * Math.PI;
    const start = performance.now();
    const run = ++this.flight || (this.flight = 1);
    const step = (now) => {
      if (run !== this.flight) return;
      const share = smooth && !calm() ? Math.min(1, (now - start) / 700) : 1;
      const eased = share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2;
      const at = new Spherical(
        from.radius + (to.radius - from.radius) * eased,
        from.phi + (to.phi - from.phi) * eased,
        from.theta + turn * eased,
      ).makeSafe();
      this.controls.target.lerpVectors(target0, target, eased);
      this.camera.position.setFromSpherical(at).add(this.controls.target);
      this.controls.update();
      this.draw();
      if (share < 1) requestAnimationFrame(step);
    };
    step(start);
  }

  orbit(theta, phi) {
    const at = new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
    at.theta += theta;
    at.phi += phi;
    this.move(at.makeSafe());
  }

  zoom(factor) {
    const at = new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
    at.radius = Math.min(this.controls.maxDistance, Math.max(this.controls.minDistance, at.radius * factor));
    this.move(at);
  }

  move(spherical) {
    this.camera.position.setFromSpherical(spherical).add(this.controls.target);
    this.controls.update();
    this.draw();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  /* Draw once at the next frame; call `settled` listeners when nothing has moved for a moment. */
  draw() {
    if (!this.asked) {
      this.asked = requestAnimationFrame(() => {
        this.asked = 0;
        if (this.controls.enableDamping) this.controls.update();
        this.renderer.render(this.scene, this.camera);
        this.after.forEach((tell) => tell());
      });
    }
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settled.forEach((tell) => tell()), 150);
  }

  /* Where a point of the model stands on the page, in pixels of the stage; z beyond 1 is behind the camera. */
  project(point) {
    const at = point.clone().project(this.camera);
    return { x: ((at.x + 1) / 2) * this.place.clientWidth, y: ((1 - at.y) / 2) * this.place.clientHeight, z: at.z };
  }

  clear() {
    this.model.traverse((item) => item.geometry?.dispose());
    this.model.clear();
  }

  end() {
    this.watch.disconnect();
    this.controls.dispose();
    this.clear();
    this.renderer.dispose();
    this.canvas.remove();
  }
}
