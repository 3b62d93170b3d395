/* <time data-relative datetime="…"> counts on while the page is open; the full date stays in its title. */
import { language } from "./words.js";

const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

function tell(element, format) {
  const seconds = (Date.parse(element.dateTime) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
  element.textContent = format.format(Math.trunc(seconds / size), unit);
}

function refresh() {
  const format = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  document.querySelectorAll("time[data-relative]").forEach((element) => tell(element, format));
}

refresh();
setInterval(refresh, 60000);
document.addEventListener("htmx:after:swap", refresh);
