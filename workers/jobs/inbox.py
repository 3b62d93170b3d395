"""Answers that came by mail, and the morning summaries."""

import hashlib
import tempfile
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import read_letter
from ai_pipeline.letters.report import Letter, LetterFile
from marketplace.inbox import digest, mail_files, replies
from marketplace.inbox.mail_files import Arrived
from marketplace.inbox.models import InboundMail
from marketplace.kernel import clock
from workers.run import Run, Wait


def read_inbound(run: Run, inbound_id: str) -> None:
    """Read a mail in the child, outside of any transaction, then post or refuse what it says; once."""
    with run.phase() as session:
        row = session.get_one(InboundMail, inbound_id)
        raw = row.raw
    if raw is None:
        return
    storage = run.services.storage
    letter: Letter | None = None
    files: list[Arrived] = []
    with tempfile.TemporaryDirectory(prefix="letter-") as place:
        path = Path(place) / "mail"
        path.write_bytes(raw)
        out = Path(place) / "out"
        out.mkdir()
        try:
            letter = read_letter(path, out_dir=out)
            files = [_arrived(item, out) for item in letter.files]
        except Unreadable:
            letter = None  # said to the person who sent it
        with run.phase() as session:
            replies.settle(session, run.actor, storage, inbound_id, letter, files)
            places = mail_files.keys_of(session, inbound_id)
            wanted = session.get_one(InboundMail, inbound_id).files or []
        # The list of what is coming has the order of the mail.
        for item, file in zip(wanted, files, strict=False):
            if file.path is not None and (key := places.get(item.get("asset", ""))) is not None:
                storage.put(key[0], file.path.read_bytes(), key[1], file.sha256)
    with run.phase() as session:
        mail_files.arrived(session, run.actor, inbound_id)


def post_files(run: Run, inbound_id: str) -> None:
    """Let the files of a mail follow its words once all of them are checked."""
    with run.phase() as session:
        done = mail_files.checked(session, inbound_id)
    if not done:
        raise Wait("files are being checked", timedelta(seconds=2))
    with run.phase() as session:
        mail_files.post(session, run.actor, inbound_id)


def files_failed(session: Session, run: Run, why: str, inbound_id: str) -> None:
    """Tell the writer that the files did not come through."""
    mail_files.post(session, run.actor, inbound_id, given_up=True)


def _arrived(item: LetterFile, out: Path) -> Arrived:
    path = out / item.file if item.file else None
    digest = hashlib.sha256(path.read_bytes() if path else b"").hexdigest()
    return Arrived(item.name, item.content_type, item.size, digest, path)


def inbound_failed(session: Session, run: Run, why: str, inbound_id: str) -> None:
    """Every attempt failed: the person learns that the mail, or what came with it, could not be read."""
    del why
    replies.settle(session, run.actor, run.services.storage, inbound_id, None)
    mail_files.post(session, run.actor, inbound_id)


def send_digests(run: Run) -> None:
    """Make the summaries that are due, each in a transaction of its own."""
    moment = clock.now()
    with run.phase() as session:
        people = digest.due(session, moment)
    for user_id in people:
        with run.phase() as session:
            digest.make(session, user_id, moment)
