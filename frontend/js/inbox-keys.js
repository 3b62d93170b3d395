/* Single keys of the inbox and of the list beside a thread, which a reader can turn off. */
const STORE = "touchstone-inbox-keys";

export function keysOn() {
  try {
    return localStorage.getItem(STORE) !== "off";
  } catch {
    return true;
  }
}

export function keepKeys(on) {
  try {
    localStorage.setItem(STORE, on ? "on" : "off");
  } catch {
    // A browser that keeps nothing: the choice holds for this page.
  }
}

/* Calls the action of a key, unless the reader types or holds another key. */
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
    const act = actions[event.key];
    if (typing || !act || !keysOn()) return;
    event.preventDefault();
    act();
  });
}
