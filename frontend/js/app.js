/* Loaded on every page. Each module listens on the document, so swapped-in fragments work without being wired again. */
import "./requests.js";
import "./toasts.js";
import "./dialogs.js";
import "./menus.js";
import "./theme.js";
import "./forms.js";
import "./drafts.js";
import "./copy.js";
import "./times.js";
import "./cjk.js";
import "./placeholders.js";
