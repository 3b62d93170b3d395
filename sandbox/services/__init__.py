"""Real services from wheels and the vendors' stand-ins, started and stopped as one group.

with Services(directory, durable=False) as services:
    services.env["DATABASE_URL"]
"""

from sandbox.services.group import Services
from sandbox.services.process import ServiceFailed

__all__ = ["ServiceFailed", "Services"]
