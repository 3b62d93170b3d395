"""Everything about the database that is not a feature's own table."""
