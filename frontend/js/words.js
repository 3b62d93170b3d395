/* Words the server put into the page in the reader's language: <script type="application/json" id="words">. */
let words;

export function say(key, values = {}) {
  if (!words) {
    try {
      words = JSON.parse(document.getElementById("words")?.textContent || "{}");
    } catch {
      words = {};
    }
  }
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const language = () => document.documentElement.lang || "en";
export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content || "";
