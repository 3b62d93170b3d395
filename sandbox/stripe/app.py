"""Puts the stand-in together."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from sandbox.frontdoor import FailurePlan, new_app
from sandbox.stripe import api, control, pages
from sandbox.stripe.chaos import Chaos
from sandbox.stripe.clockwork import let_time_work
from sandbox.stripe.store import Store
from sandbox.stripe.webhooks import Webhooks
from sandbox.stripe.world import World

TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Stripe:
    """The app and its two threads; `start` and `close` bracket serving."""

    app: Flask
    world: World

    def start(self) -> None:
        """Begin delivering events and letting time do its work."""
        threading.Thread(target=self.world.webhooks.run, name="webhooks", daemon=True).start()
        threading.Thread(target=_tick, args=(self.world,), name="clockwork", daemon=True).start()

    def close(self) -> None:
        """Stop delivering and close the file."""
        self.world.webhooks.stop()
        with self.world.store.lock:
            self.world.store.close()


def create(webhook_url: str, webhook_secret: str, state: Path | None = None) -> Stripe:
    """The stand-in; with `state` it remembers across restarts."""
    store = Store(state)
    chaos = Chaos()
    world = World(store, Webhooks(store, webhook_url, webhook_secret, chaos))
    failures = FailurePlan()
    app = new_app("stripe", failures)
    app.register_blueprint(api.blueprint(world, failures, chaos))
    app.register_blueprint(control.blueprint(world, chaos))
    app.register_blueprint(pages.blueprint(world))
    return Stripe(app, world)


def _tick(world: World) -> None:
    while not world.webhooks.stopped:
        time.sleep(TICK_S)
        with world.store.lock:
            if not world.webhooks.stopped:
                let_time_work(world)
