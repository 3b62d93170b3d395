/* Shows a picture's placeholder (`data-placeholder`, a data: address) until the picture itself has come. */
function wait(image) {
  const placeholder = image.dataset.placeholder;
  delete image.dataset.placeholder;
  if (image.complete || !placeholder.startsWith("data:image/webp;base64,")) return;
  const done = () => {
    image.classList.remove("waiting");
    image.style.removeProperty("background-image");
  };
  image.classList.add("waiting");
  image.style.setProperty("background-image", `url("${placeholder}")`);
  image.addEventListener("load", done, { once: true });
  image.addEventListener("error", done, { once: true });
}

function waitIn(root) {
  for (const image of root.querySelectorAll("img[data-placeholder]")) wait(image);
}

waitIn(document);
document.addEventListener("htmx:after:swap", () => waitIn(document));
