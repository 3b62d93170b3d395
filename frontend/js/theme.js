/* Light, dark or as the system says; kept in the cookie "theme" that the server reads, so there is no flash. */
const YEAR = 31536000;

function mark() {
  const chosen = document.documentElement.dataset.theme || "system";
  document.querySelectorAll("[data-set-theme]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-set-theme]");
  if (!button) return;
  const choice = button.dataset.setTheme;
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=${choice === "system" ? 0 : YEAR}; SameSite=Lax${secure}`;
  mark();
});
mark();
