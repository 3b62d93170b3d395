"""One live product and one browser for all journeys; both end with the last of them."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from sandbox.local.browser import find
from tests.journeys.live import Live, running
from tests.journeys.stage import Stage, set_stage
from tests.journeys.window import PATIENCE
from tests.kit.instance import Instance


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys drive a browser and take their time."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def live(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The product as it runs, with its own data."""
    with running(instance, tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture(scope="package")
def stage(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """People and things in every state, for tests that look at pages."""
    return set_stage(live, tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    found = find()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        env: dict[str, str | float | bool] = {**os.environ, **found.env}
        chromium = playwright.chromium.launch(executable_path=found.path, env=env, args=list(found.args))
        yield chromium
        chromium.close()
