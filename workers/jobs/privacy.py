"""Making the copy of a person's data."""

import json

from marketplace.privacy.models import PrivacyRequest
from marketplace.privacy.operations import finish_export
from marketplace.privacy.personal_data import collect
from workers.run import Run


def prepare_export(run: Run, request_id: str) -> None:
    """Collect, store, hand over. A repeat after a crash stores a second object and hands over only one."""
    with run.phase(10) as session:
        request = session.get_one(PrivacyRequest, request_id)
        if request.state == "done":
            return
        data = collect(session, request.user_id)
    body = json.dumps(data, indent=1, ensure_ascii=False).encode()
    key = run.services.storage.new_key("exports")
    run.services.storage.put(key, body, "application/json")
    with run.phase(90) as session:
        finish_export(session, run.actor, request_id, key)
