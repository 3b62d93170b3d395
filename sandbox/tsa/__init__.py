"""A local stand-in for a time-stamping authority."""
