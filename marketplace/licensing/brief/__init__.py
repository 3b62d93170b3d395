"""The customization brief: what shall differ from the design as it is listed."""
