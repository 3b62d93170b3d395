"""Telling people: in the app and by mail, each in their own language."""
