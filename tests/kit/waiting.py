"""What waits at a desk: a bank file of the operator, a buyer's approval, a studio's usual terms."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from demo.play import TERMS
from marketplace.db.base import Base
from marketplace.licensing.playbook.models import Approval, ApprovalPolicy, DesignSheet, MetalPrice, TermSheet
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.terms import terms_hash
from marketplace.payments.models import Transfer
from marketplace.payments.rails.models import BankAnswer, BankFile, BankItem, PayeeBank
from marketplace.payments.rails.routing import current_bank


def leave_bank_file(session: Session, payee: str, made_by: str) -> dict[str, str]:
    """A bank file with a payment to an organization that was given up, and the bank's report of it; their ids."""
    share = session.scalars(select(Transfer.id).where(Transfer.org_id == payee).limit(1)).one()
    bank = current_bank(session, payee) or PayeeBank(
        org_id=payee,
        holder="A House",
        country="HK",
        bic="HSBCHKHHHKH",
        last4="6789",
        sealed=b"sealed",
        usable_at=datetime.now(UTC),
        entered_by="usr_somebody",
    )
    file = BankFile(
        currency="USD", state="made", count=1, total=500, execute_on=datetime.now(UTC).date(), made_by=made_by
    )
    session.add_all([bank, file])
    session.flush()
    given_up = {"state": "canceled", "org_id": payee, "amount": 500, "currency": "USD"}
    session.add(BankItem(file_id=file.id, transfer_id=share, bank_id=bank.id, **given_up))
    line = {"reference": file.id, "item": None, "file": file.id, "outcome": None, "reason": None, "result": "pending"}
    digest = secrets.token_hex(32)
    lines = [{**line, "amount": 500, "currency": "USD"}]
    answer = BankAnswer(kind="camt.054", sha256=digest, taken_by=made_by, lines=lines)
    session.add(answer)
    session.flush()
    return {"bank_file": file.id, "bank_answer": answer.id}


def asked_first(license_id: str, negotiation_id: str, designer: str, buyer: str, design_id: str) -> FirstAsk:
    """A question to the holder of a first refusal."""
    return FirstAsk(
        license_id=license_id,
        negotiation_id=negotiation_id,
        version=1,
        design_id=design_id,
        title="A ring",
        designer_org_id=designer,
        buyer_org_id=buyer,
        terms=TERMS,
        answer_by=datetime.now(UTC) + timedelta(days=14),
        asked_by="usr_somebody",
    )


def playbook(designer: str, buyer: str, design_id: str) -> list[Base]:
    """A studio's term sheet and metal price, a buyer's limit, and what it held back."""
    return [
        TermSheet(org_id=designer, name="Standard", terms=TERMS, user_id="usr_somebody"),
        MetalPrice(org_id=designer, alloy="platinum_950_ru", currency="USD", amount=3_400),
        ApprovalPolicy(org_id=buyer, limits={"USD": 10**10}, updated_by="usr_somebody"),
        Approval(
            org_id=buyer,
            subject=design_id,
            design_id=design_id,
            title="Another license",
            action="open",
            version=0,
            terms=TERMS,
            terms_hash=terms_hash(TERMS),
            amount=2 * 10**10,
            limit_amount=10**10,
            currency="USD",
            asked_by="usr_somebody_else",
        ),
    ]


def start_from(sheet: TermSheet, design_id: str) -> DesignSheet:
    """That the offers for a design start from this sheet; the sheet is stored already."""
    return DesignSheet(design_id=design_id, org_id=sheet.org_id, sheet_id=sheet.id, user_id="usr_somebody")
