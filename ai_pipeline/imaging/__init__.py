"""Photos: verify by own header reading, decode once, re-encode clean derivatives."""
