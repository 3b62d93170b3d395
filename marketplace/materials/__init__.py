"""Alloys and casting rules: the numbers weights and verdicts rest on, with their sources, and each house's own."""
