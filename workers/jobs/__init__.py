"""One module per group of jobs; each function takes (Run, **args)."""
