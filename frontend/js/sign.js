/* The signing form: type or draw, what is still to do, and one button that leads there. Without it the form works by typing. */
const WIDTH = 600;
const HEIGHT = 200;
const MAX_CHARS = 20000;

const form = document.querySelector("[data-sign]");
if (form) start(form);

function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const name = form.elements.namedItem("typed_name");
  const drawn = part("drawn");
  const pad = part("pad");
  const typed = part("typed");
  const canvas = pad.querySelector("canvas");
  const next = part("next");
  const submit = form.querySelector("button[type=submit]");
  const fields = ["consent", "agree", "password"].map((field) => form.elements.namedItem(field)).filter(Boolean);

  const drawing = () => !pad.hidden;
  const signed = () => (drawing() ? drawn.value !== "" : name.value.trim() !== "");
  const filled = (field) => (field.type === "checkbox" ? field.checked : field.value !== "");
  const open = () => [...(signed() ? [] : [drawing() ? pad : name]), ...fields.filter((field) => !filled(field))];

  function show() {
    const left = open().length;
    const all = fields.length + 1;
    part("left").textContent = left === 0 ? form.dataset.ready : left === 1 ? form.dataset.one : form.dataset.many.replace("{n}", left);
    part("progress").hidden = false;
    part("progress").firstElementChild.style.inlineSize = `${((all - left) / all) * 100}%`;
    next.hidden = left === 0;
    submit.hidden = left !== 0;
  }

  function way(draw) {
    pad.hidden = !draw;
    typed.hidden = draw;
    name.required = !draw;
    if (draw) name.value = "";
    else clear();
    for (const button of form.querySelectorAll("[data-way]")) {
      button.setAttribute("aria-pressed", String((button.dataset.way === "draw") === draw));
    }
    show();
  }

  const pen = canvas.getContext("2d");
  let path = "";
  let at = null;

  function clear() {
    path = drawn.value = "";
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    show();
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), most) * 10) / 10;
    return [within(((event.clientX - box.left) / box.width) * WIDTH, WIDTH), within(((event.clientY - box.top) / box.height) * HEIGHT, HEIGHT)];
  }

  function stroke(from, to) {
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.lineWidth = 3;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at = point(event);
    path += `M${at[0]} ${at[1]}`;
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!at) return;
    for (const moved of event.getCoalescedEvents?.() ?? [event]) {
      const to = point(moved);
      const far = Math.hypot(to[0] - at[0], to[1] - at[1]) > 2;
      if (!far || path.length > MAX_CHARS - 40) continue;
      path += `L${to[0]} ${to[1]}`;
      stroke(at, to);
      at = to;
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      at = null;
      drawn.value = path;
      show();
    });
  }

  for (const button of form.querySelectorAll("[data-way]")) {
    button.addEventListener("click", () => way(button.dataset.way === "draw"));
  }
  part("clear").addEventListener("click", clear);
  next.addEventListener("click", () => {
    const [target] = open();
    target?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    target?.focus({ preventScroll: true });
  });
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  part("ways").hidden = false;
  form.dataset.live = "";
  clear();
}
