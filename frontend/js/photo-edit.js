/* The photo editor: the slider between two pictures, and the numbers beside the sliders. Works without, as two pictures. */
import { language } from "./words.js";

function compare(box) {
  const range = box.querySelector(".compare-range input");
  if (!range || !box.querySelector(".before") || box.classList.contains("live")) return;
  const draw = () => box.style.setProperty("--split", `${range.value}%`);
  range.addEventListener("input", draw);
  range.parentElement.hidden = false;
  box.classList.add("live");
  draw();
}

function wire() {
  document.querySelectorAll("[data-compare]").forEach(compare);
}

document.addEventListener("input", (event) => {
  const output = event.target.closest?.(".slide")?.querySelector("output");
  if (!output) return;
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: 2 });
  output.textContent = number.format(Number(event.target.value)) + output.dataset.unit;
});

wire();
document.addEventListener("htmx:after:swap", wire);
