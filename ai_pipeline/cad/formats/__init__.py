"""One strict reader or structure check per CAD format. They raise `Unreadable` and never open a second file."""
