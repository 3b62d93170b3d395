"""Who did what, when, from where: append-only events, readable by those they concern."""
