"""Small programs for people who work on this code base."""
