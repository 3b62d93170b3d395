"""Measurements: accuracy and load. Nothing here is a test; see README.md."""
