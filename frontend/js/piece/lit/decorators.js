/* The rest of `lit` that <model-viewer> asks for, unchanged. */
export { property } from "@lit/reactive-element/decorators/property.js";
