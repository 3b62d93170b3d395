"""The first page after signing in: what to do next, by role."""
