"""Touchstone: the Flask application. Composition in app.py, features in their own packages."""
