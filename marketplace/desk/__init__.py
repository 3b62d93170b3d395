"""The desk of the operator: vetting businesses, tracing files."""
