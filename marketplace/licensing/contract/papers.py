"""What the agreement and its addenda have in common as documents: kept text, signatures, the sealed copy."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.contract.events import note
from marketplace.licensing.contract.life import tell
from marketplace.licensing.models import Addendum, AgreementText, License, Signature

Paper = License | Addendum


def license_id_of(paper: Paper) -> str:
    """The license a document belongs to."""
    return paper.license_id if isinstance(paper, Addendum) else paper.id


def signatures_under(session: Session, paper: Paper) -> list[Signature]:
    """Who has signed this document, first come first."""
    query = select(Signature).order_by(Signature.at)
    if isinstance(paper, Addendum):
        query = query.where(Signature.addendum_id == paper.id)
    else:
        query = query.where(Signature.license_id == paper.id, Signature.addendum_id.is_(None))
    return list(session.scalars(query))


def addenda_of(session: Session, license_id: str) -> list[Addendum]:
    """The addenda of a license, newest first."""
    query = select(Addendum).where(Addendum.license_id == license_id).order_by(Addendum.number.desc()).limit(100)
    return list(session.scalars(query))


def signed_addenda_of(session: Session, license_id: str) -> list[tuple[Addendum, list[Signature]]]:
    """The same, each with its signatures, first come first; two statements."""
    found = addenda_of(session, license_id)
    marks = select(Signature).where(Signature.addendum_id.in_([row.id for row in found])).order_by(Signature.at)
    by_addendum: dict[str | None, list[Signature]] = {}
    for mark in session.scalars(marks) if found else ():
        by_addendum.setdefault(mark.addendum_id, []).append(mark)
    return [(row, by_addendum.get(row.id, [])) for row in found]


def keep_text(session: Session, paper: Paper, content: dict[str, Any]) -> dict[str, Any]:
    """Put down what a document says, once; returns what was put down first."""
    session.execute(
        insert(AgreementText)
        .values(
            id=paper.id,
            license_id=license_id_of(paper),
            clause_version=paper.clause_version,
            content=content,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )
    return dict(session.scalars(select(AgreementText.content).where(AgreementText.id == paper.id)).one())


def attach_signed(session: Session, actor: Actor, paper: Paper, *, key: str, sha256: str, sealed_at: datetime) -> None:
    """Attach the sealed copy and send both sides to it, once."""
    held = lock(session, License, license_id_of(paper))
    mine: Paper = lock(session, Addendum, paper.id) if isinstance(paper, Addendum) else held
    if mine.signed_document_key is not None:
        return
    mine.signed_document_key, mine.signed_document_sha256, mine.sealed_at = key, sha256, sealed_at
    addendum_id = mine.id if isinstance(mine, Addendum) else None
    note(session, actor, held, "sealed", addendum_id=addendum_id, sha256=sha256)
    record(session, actor, "license.certified", mine.id, owner_org_id=held.designer_org_id, sha256=sha256)
    for side in ("designer", "buyer"):
        tell(session, held, side, "license_sealed")
