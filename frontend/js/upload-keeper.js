/* A service worker that holds the files being sent while their page is reloaded: in memory only, for the half minute that browsers
   let an idle one live. It sees no requests: its scope is the folder of the scripts, and it has no fetch handler. */
const files = new Map();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("message", ({ data, ports }) => {
  if (data.keep) files.set(data.keep, data.file);
  if (data.drop) files.delete(data.drop);
  if (data.ask) ports[0].postMessage(files.get(data.ask) ?? null);
});
