"""Messages between two organizations, each read in the reader's own language."""
