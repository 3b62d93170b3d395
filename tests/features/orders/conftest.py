"""The trade world for these tests."""

from tests.features.orders.world import world

__all__ = ["world"]
