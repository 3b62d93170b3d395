"""Reference rates between currencies, with their source and day."""
