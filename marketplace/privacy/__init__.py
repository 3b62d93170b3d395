"""Requests of people about their own data: a copy, or erasure."""
