"""Connections for racers, and the group that races."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from marketplace.db.engines import make_engine
from tests.concurrency.racing import RACERS, Race
from tests.kit.instance import Instance


@pytest.fixture
def web(instance: Instance) -> Iterator[Engine]:
    """An engine of the web role with a connection for each racer."""
    engine = make_engine(instance.settings.database_web_url, pool_size=RACERS + 2)
    yield engine
    engine.dispose()


@pytest.fixture
def race(web: Engine) -> Iterator[Race]:
    """Racers of the web role."""
    made = Race(web)
    yield made
    made.pool.shutdown()
