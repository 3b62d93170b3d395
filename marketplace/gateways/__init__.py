"""One module per outside service, the only importer of its library."""
