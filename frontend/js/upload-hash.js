/* A worker of its own: the SHA-256 of a file, read piece by piece, so that the page stays quick and memory small. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 4 << 20;

self.addEventListener("message", async ({ data: file }) => {
  try {
    const digest = sha256.create();
    for (let offset = 0; offset < file.size; offset += PIECE) {
      digest.update(new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer()));
      self.postMessage({ read: Math.min(offset + PIECE, file.size) });
    }
    self.postMessage({ digest: bytesToHex(digest.digest()) });
  } catch {
    self.postMessage({ unreadable: true });
  }
});
