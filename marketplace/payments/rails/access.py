"""What of the bank-file rail may be loaded."""

from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.payments.rails.models import BankAnswer, BankFile


def load_file(session: Session, actor: Actor, file_id: str) -> BankFile:
    """A bank file; the permission is the operator's alone. Raises NotFound."""
    del actor
    found = session.get(BankFile, file_id)
    if found is None:
        raise NotFound
    return found


def load_answer(session: Session, actor: Actor, answer_id: str) -> BankAnswer:
    """A report of the bank; the permission is the operator's alone. Raises NotFound."""
    del actor
    found = session.get(BankAnswer, answer_id)
    if found is None:
        raise NotFound
    return found
