/* The negotiation page: the newest message in sight, and the reader's place kept when new ones arrive. */
const list = document.querySelector("[data-thread]");

function atFoot() {
  return window.innerHeight + window.scrollY >= document.body.scrollHeight - 240;
}

if (list) {
  let follow = false;
  const unread = list.querySelector("[data-unread]");
  if (unread) unread.scrollIntoView({ block: "center" });
  document.addEventListener("htmx:before:swap", () => { follow = atFoot(); });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    if (follow && target instanceof Node && list.contains(target)) {
      list.lastElementChild?.scrollIntoView({ block: "end" });
    }
  });
}
