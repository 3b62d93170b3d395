/* What buyers turn around: the coarse public likeness in <model-viewer>. Loaded when asked for. */
import "@google/model-viewer/lib/model-viewer.js";

export const ready = customElements.whenDefined("model-viewer");
