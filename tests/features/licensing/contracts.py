"""What the tests of contracts share: agreements at every stage, signatures, and the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.services import Services
from tests.features.licensing.conftest import Pair

FREE = {"amount": 0, "currency": "USD"}
SYSTEM = system("test")
Jobs = Callable[..., dict[str, str]]


class Contract:
    """One license between the pair, taken forward as its parties would."""

    def __init__(self, pair: Pair, services: Services, run_jobs: Jobs, **terms: Any) -> None:
        self.pair, self.services, self.run_jobs = pair, services, run_jobs
        self.id = str(pair.agree(**{"fee": FREE, **terms})["license"])
        self.path = f"/licenses/{self.id}"

    def ask(self, who: str, path: str = "", body: Any = None, status: int = 200) -> dict[str, Any]:
        """A call by `designer` or `buyer` (a POST when there is a body); its JSON."""
        api = getattr(self.pair, who).api
        answer = api.get(self.path + path) if body is None else api.post(self.path + path, body)
        assert answer.status_code == status, answer.text
        return dict(answer.get_json())

    def sign(self, who: str, path: str = "", status: int = 200, **body: Any) -> dict[str, Any]:
        """Sign the agreement, or the addendum at `path`."""
        name = getattr(self.pair, who).user.name
        return self.ask(who, f"{path}/sign", {"typed_name": name, "agree": True, **body}, status)

    def active(self) -> "Contract":
        """Signed by both, and in force because it is free."""
        self.run_jobs()
        self.sign("designer")
        assert self.sign("buyer")["state"] == "active"
        return self

    def state(self) -> str:
        """Where it stands."""
        return str(self.ask("designer")["state"])

    def move(self, **columns: datetime | timedelta | str) -> None:
        """Set columns of the row, as if the time had passed."""
        with unit_of_work(self.services.engine, SYSTEM) as session:
            session.execute(update(License).where(License.id == self.id).values(**columns))

    def tick(self, *steps: Callable[..., int]) -> list[int]:
        """Run clock work once each."""
        done = []
        for step in steps:
            with unit_of_work(self.services.engine, SYSTEM) as session:
                done.append(step(session, SYSTEM))
        return done

    def kinds(self) -> list[str]:
        """What the log says happened."""
        return [event["kind"] for event in self.ask("buyer", "/log")["items"]]
