"""The trade catalog of listed designs."""
