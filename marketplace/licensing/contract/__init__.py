"""The contract of a license: its text, its signing and sealing, its addenda, and its life to the end."""
