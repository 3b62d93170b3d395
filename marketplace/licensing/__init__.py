"""Negotiations over typed terms, and the licenses that come of them: document, signatures, life."""
