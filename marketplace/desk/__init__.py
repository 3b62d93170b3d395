"""The desk of the operator: vetting businesses."""
