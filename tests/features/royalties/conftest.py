"""Fixtures of the tests of royalties."""

from tests.features.royalties.account import account, net

__all__ = ["account", "net"]
