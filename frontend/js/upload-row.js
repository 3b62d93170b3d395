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
    this.canceled = false;
    this.element = document.createElement("li");
    this.element.className = "upload-row sending";
    this.thumb = make("span", "thumb", this.element);
    const middle = make("div", "", this.element);
    const name = make("p", "name", middle, file.name);
    name.dir = "auto";
    this.detail = make("p", "detail", middle, size(file.size));
    const frame = make("div", "progress", middle);
    this.bar = make("progress", "", frame);
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.controls = make("div", "controls", this.element);
    this.cancelButton = make("button", "button icon-only plain small", this.controls);
    this.cancelButton.type = "button";
    this.cancelButton.setAttribute("aria-label", say("upload_cancel", { name: file.name }));
    this.cancelButton.append(icon("x"));
    this.cancelButton.addEventListener("click", () => this.cancel());
    this.preview();
    list.append(this.element);
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

  wait() {
    this.canceled = false;
    this.element.classList.remove("failed");
    this.detail.removeAttribute("role");
    this.bar.parentElement.hidden = false;
    this.bar.value = 0;
    this.again?.remove();
    this.tell(say("upload_waiting"));
  }

  progress(fraction, text) {
    this.bar.value = Math.round(fraction * 100);
    this.tell(text);
  }

  fail(text, retry = false) {
    this.element.classList.add("failed");
    this.bar.parentElement.hidden = true;
    this.detail.setAttribute("role", "alert");
    this.detail.textContent = text;
    if (!retry) return;
    this.again = make("button", "button small", this.controls, say("upload_again"));
    this.again.type = "button";
    this.again.addEventListener("click", () => this.onRetry?.());
  }

  cancel() {
    this.canceled = true;
    this.onCancel?.();
    this.onRemove?.();
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
