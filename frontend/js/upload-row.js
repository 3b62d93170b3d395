/* The row of a file on its way. The server's own row takes its place once the file is complete. */
import { language, say } from "./words.js";

/* Bytes as people write them: "12.4 MB". Powers of ten, like the limits the page states. */
export function size(bytes) {
  const [unit, power] = bytes >= 1e9 ? ["gigabyte", 1e9] : bytes >= 1e6 ? ["megabyte", 1e6] : bytes >= 1e3 ? ["kilobyte", 1e3] : ["byte", 1];
  const format = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language(), format).format(bytes / power);
}

function make(tag, name, parent, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  parent.append(element);
  return element;
}

function icon(name) {
  const sprite = document.querySelector("use")?.getAttribute("href")?.split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

class Row {
  constructor(file, list) {
    this.file = file;
    this.element = document.createElement("li");
    this.element.className = "upload-row sending";
    this.thumb = make("span", "thumb", this.element);
    const middle = make("div", "", this.element);
    const name = make("p", "name", middle, file.name);
    name.dir = "auto";
    this.detail = make("p", "detail", middle, size(file.size));
    this.frame = make("div", "progress", middle);
    this.bar = make("progress", "", this.frame);
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.controls = make("div", "controls", this.element);
    this.pauseButton = this.button("pause", say("upload_pause", { name: file.name }), () => this.onPause?.());
    this.cancelButton = this.button("x", say("upload_cancel", { name: file.name }), () => this.onCancel?.());
    this.preview();
    list.append(this.element);
  }

  button(name, label, action) {
    const button = make("button", "button icon-only plain small", this.controls);
    button.type = "button";
    button.setAttribute("aria-label", label);
    button.append(icon(name));
    button.addEventListener("click", action);
    return button;
  }

  preview() {
    if (/^image\/(jpeg|png|webp|avif|gif)$/.test(this.file.type) && this.file.size < 4e7) {
      const image = make("img", "", this.thumb);
      image.alt = "";
      image.src = URL.createObjectURL(this.file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src));
      image.addEventListener("error", () => image.replaceWith(icon("image")));
    } else {
      this.thumb.append(icon("file-box"));
    }
  }

  tell(text) {
    this.detail.textContent = `${size(this.file.size)} · ${text}`;
  }

  /* On the way again: no question, no refusal, nothing to press but pause and cancel. */
  wait() {
    this.element.classList.remove("failed");
    this.detail.removeAttribute("role");
    this.frame.hidden = false;
    this.pauseButton.hidden = false;
    this.choice?.remove();
    this.tell(say("upload_waiting"));
  }

  progress(fraction, text) {
    this.bar.value = Math.floor(fraction * 100);
    this.tell(text);
  }

  /* All bytes are there: from now on it cannot be stopped. */
  finish(text) {
    this.pauseButton.remove();
    this.cancelButton.remove();
    this.progress(1, text);
  }

  /* One thing that can be done next, as a button with words. */
  ask(text, action) {
    this.pauseButton.hidden = true;
    this.choice?.remove();
    this.choice = make("button", "button small", this.controls, text);
    this.choice.type = "button";
    this.choice.setAttribute("aria-label", `${text}: ${this.file.name}`);
    this.choice.addEventListener("click", action);
    this.controls.prepend(this.choice);
  }

  paused(action) {
    this.tell(say("upload_paused", { percent: this.bar.value }));
    this.ask(say("upload_go_on"), action);
    this.choice.focus();
  }

  offer(text, action) {
    this.frame.hidden = true;
    this.tell(text);
    this.ask(say("upload_reuse"), action);
    announce(text);
  }

  fail(text, retry) {
    this.element.classList.add("failed");
    this.frame.hidden = true;
    this.pauseButton.hidden = true;
    this.detail.setAttribute("role", "alert");
    this.detail.textContent = text;
    if (retry) this.ask(say("upload_again"), retry);
  }

  remove() {
    this.element.remove();
    announce(say("upload_canceled"));
  }
}

/* Say `text` in the page's shared live region. */
export function announce(text) {
  const region = document.getElementById("live");
  if (region) region.textContent = text;
}

export const createRow = (file, list) => new Row(file, list);
