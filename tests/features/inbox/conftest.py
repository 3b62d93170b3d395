"""The same people and designs as the tests of negotiations."""

from tests.features.licensing.conftest import listed, pair

__all__ = ["listed", "pair"]
