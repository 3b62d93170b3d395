/* The check of a signed document: the file's fingerprint is computed here, and the file itself is not sent. */
const form = document.querySelector("[data-verify]");

form?.addEventListener("submit", async (event) => {
  const chosen = form.elements.namedItem("file");
  const digest = form.querySelector("[data-sha256]");
  const file = chosen.files[0];
  if (!file || digest.value || !crypto.subtle) return;
  event.preventDefault();
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  digest.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  chosen.disabled = true;
  form.submit();
});
form?.elements.namedItem("file").addEventListener("change", () => {
  form.querySelector("[data-sha256]").value = "";
});
