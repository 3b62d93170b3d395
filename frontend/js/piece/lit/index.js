/* Stands in for `lit` where <model-viewer> draws its frame: that comes with a <style> element, which our policy refuses in a
   page. The same rules are adopted as a style sheet instead, which needs no exception. */
import { render as draw } from "lit-html";

export * from "lit-element/lit-element.js";

const STYLE = /<style>([\s\S]*?)<\/style>/;

export function render(result, root) {
  const rules = result.strings.map((part) => STYLE.exec(part)?.[1] ?? "").join("");
  const strings = result.strings.map((part) => part.replace(STYLE, ""));
  strings.raw = strings;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  const adopt = () => {
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  };
  adopt();
  // The element puts its own list (which is empty) in its place once it stands in the page.
  queueMicrotask(adopt);
  requestAnimationFrame(adopt);
  return draw({ ...result, strings }, root);
}
