"""Answers that came by mail, and the morning summaries."""

import tempfile
from pathlib import Path

from sqlalchemy.orm import Session

from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import read_letter
from ai_pipeline.letters.report import Letter
from marketplace.inbox import digest, replies
from marketplace.inbox.models import InboundMail
from marketplace.kernel import clock
from workers.run import Run


def read_inbound(run: Run, inbound_id: str) -> None:
    """Read a mail in the child, outside of any transaction, then post or refuse what it says; once."""
    with run.phase() as session:
        row = session.get_one(InboundMail, inbound_id)
        raw = row.raw
    if raw is None:
        return
    letter: Letter | None = None
    with tempfile.TemporaryDirectory(prefix="letter-") as place:
        path = Path(place) / "mail"
        path.write_bytes(raw)
        out = Path(place) / "out"
        out.mkdir()
        try:
            letter = read_letter(path, out_dir=out)
        except Unreadable:
            letter = None  # said to the person who sent it
    with run.phase() as session:
        replies.settle(session, run.actor, inbound_id, letter)


def inbound_failed(session: Session, run: Run, why: str, inbound_id: str) -> None:
    """Every attempt failed: the person learns that the mail could not be read."""
    del why
    replies.settle(session, run.actor, inbound_id, None)


def send_digests(run: Run) -> None:
    """Make the summaries that are due, each in a transaction of its own."""
    moment = clock.now()
    with run.phase() as session:
        people = digest.due(session, moment)
    for user_id in people:
        with run.phase() as session:
            digest.make(session, user_id, moment)
