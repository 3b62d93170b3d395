"""A stand-in for the file of reference rates that the European Central Bank publishes: same form, fixed numbers."""
