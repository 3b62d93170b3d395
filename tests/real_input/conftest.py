"""A studio whose uploads are read, and the ways in which files are settled."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marketplace.db import jobs
from marketplace.db.jobs import JobName
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.services import Services
from tests.kit.files import File, put
from tests.kit.people import Make, Person
from workers.registry import BINDINGS
from workers.run import execute


@dataclass
class Studio:
    """A designer with one design, through whose API files go in."""

    person: Person
    design_id: str
    read_files: Callable[[], None]

    def offer(self, files: Iterable[Path], kind: str) -> dict[str, dict[str, Any]]:
        """What became of each file by name: the asset as the API shows it, or {"status": "not taken", "reason"}."""
        found: dict[str, dict[str, Any]] = {}
        sent: dict[str, str] = {}
        for path in files:
            file = File(path.name, path.read_bytes(), "application/octet-stream", kind)
            answer = self.person.api.post(f"/designs/{self.design_id}/assets", file.announced)
            if answer.status_code != 201:
                assert answer.status_code == 422, answer.get_data(as_text=True)
                found[path.name] = {"status": "not taken", "reason": {"detail": answer.json["detail"]}}
                continue
            put(answer.json, file)
            sent[path.name] = str(answer.json["asset"]["id"])
            assert self.person.api.post(f"/assets/{sent[path.name]}/complete").status_code == 202
        self.read_files()
        for name, asset_id in sent.items():
            found[name] = dict(self.person.api.get(f"/assets/{asset_id}").get_json())
        return found


@pytest.fixture
def studio(make: Make, services: Services) -> Studio:
    """An empty design and no due jobs."""
    person = make.person("designer")
    body = {"title": "Real input", "category": "ring", "description": "Files as people have them."}
    design_id = str(person.api.post("/designs", body).json["id"])

    def read_files() -> None:
        """Run every due job but the rendering of pictures, two at a time as two workers would."""
        with ThreadPoolExecutor(2) as pool:
            for _ in range(50):
                with unit_of_work(services.engine, system("test")) as session:
                    found = jobs.due(session, limit=50, resend_after=jobs.LEASE * 4)
                todo = [job_id for job_id, name, _attempt in found if name != JobName.RENDER_CAD]
                if not todo:
                    return
                ended = list(pool.map(lambda job_id: execute(services, BINDINGS, job_id), todo))
                assert set(ended) <= {"done"}, ended

    return Studio(person, design_id, read_files)
