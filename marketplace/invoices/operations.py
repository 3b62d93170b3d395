"""Issuing invoices and credit notes. Jobs come here after money was booked; nothing here commits or calls a vendor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organization, User
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock_name
from marketplace.invoices import tax_ids
from marketplace.invoices.models import Invoice, InvoiceDocument, InvoiceSeries, TaxProfile
from marketplace.invoices.rules import PLATFORM_FEE, Party, number_of, tax_in, tax_of
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.notifications.operations import notify_org
from marketplace.payments.models import Checkout


@dataclass(frozen=True, slots=True)
class Credited:
    """What one payee gives back: `gross` minor units of its share, of which `fee` is our fee returned to it."""

    org_id: str
    kind: str
    gross: int
    fee: int


@dataclass(frozen=True, slots=True)
class _Corrected:
    """The invoice that a credit note corrects, and what was credited of it so far: `gross` and the `tax` in it."""

    first: Invoice
    gross: int
    tax: int


@dataclass(frozen=True, slots=True)
class _Draft:
    issuer: str
    recipient: str
    charge: str
    gross: int


def save_profile(
    session: Session, actor: Actor, org_id: str, *, legal_name: str, tax_id: str, address: str
) -> TaxProfile:
    """Set how an organization stands on its future invoices. Raises Invalid `bad_tax_id`, `tax_id_unknown`."""
    country = session.get_one(Organization, org_id).country
    number = tax_ids.checked(country, tax_id)
    values = {"legal_name": legal_name, "tax_id": number, "address": address, "updated_at": clock.now()}
    session.execute(
        insert(TaxProfile)
        .values(org_id=org_id, created_at=clock.now(), **values)
        .on_conflict_do_update(index_elements=["org_id"], set_=values)
    )
    record(session, actor, "invoices.details_changed", org_id, owner_org_id=org_id, registered=bool(number))
    return session.get_one(TaxProfile, org_id, populate_existing=True)


def ask_invoices(session: Session, checkout_id: str) -> None:
    """Have the invoices of a paid checkout issued; asked twice it happens once."""
    stage(session, JobName.ISSUE_INVOICES, f"paid:{checkout_id}", {"checkout_id": checkout_id}, subject=checkout_id)


def ask_credit(session: Session, checkout_id: str, *, cause: str, parts: Sequence[Credited]) -> None:
    """Have credit notes issued for money that went back; `cause` names the refund or the lost dispute."""
    args = {
        "checkout_id": checkout_id,
        "cause": cause,
        "parts": [[part.org_id, part.kind, part.gross, part.fee] for part in parts],
    }
    stage(session, JobName.ISSUE_INVOICES, cause, args, subject=checkout_id)


def issue_for_checkout(session: Session, actor: Actor, checkout_id: str) -> list[Invoice]:
    """The invoices of a paid checkout: from each payee to the buyer, and from us to each payee for our fee.

    Called again it makes what is missing and nothing twice. Returns what was made now.
    """
    checkout = session.get_one(Checkout, checkout_id)
    if checkout.paid_at is None:
        return []
    platform = _platform(session)
    drafts = [_Draft(s["org_id"], checkout.payer_org_id, s["kind"], s["gross"]) for s in checkout.splits]
    if platform is not None:
        fees: dict[str, int] = {}
        for share in checkout.splits:
            fees[share["org_id"]] = fees.get(share["org_id"], 0) + share["fee"]
        drafts += [_Draft(platform, org, PLATFORM_FEE, fee) for org, fee in fees.items() if fee]
    return _issue(session, actor, checkout, f"paid:{checkout.id}", drafts)


def credit(session: Session, actor: Actor, checkout_id: str, *, cause: str, parts: Sequence[Credited]) -> list[Invoice]:
    """Credit notes over what was given back of a checkout, once per `cause`; each names the invoice it corrects.

    Raises Invalid `credit_too_large` when more would be credited than was invoiced.
    """
    checkout = session.get_one(Checkout, checkout_id)
    issue_for_checkout(session, actor, checkout_id)
    platform = _platform(session)
    drafts = [_Draft(part.org_id, checkout.payer_org_id, part.kind, part.gross) for part in parts if part.gross]
    if platform is not None:
        drafts += [_Draft(platform, part.org_id, PLATFORM_FEE, part.fee) for part in parts if part.fee]
    return _issue(session, actor, checkout, cause, drafts, credits_paid=True)


def ask_restored(session: Session, checkout_id: str, *, cause: str) -> None:
    """Have the credit notes of a lost dispute undone: the bank gave the money back after all."""
    args = {"checkout_id": checkout_id, "cause": cause}
    stage(session, JobName.RESTORE_INVOICES, cause, args, subject=checkout_id)


def restore(session: Session, actor: Actor, checkout_id: str, *, cause: str) -> list[Invoice]:
    """Undo the credit notes of `cause`: an invoice for each, with a number of its own, taxed as the note and naming it.

    Called again it makes what is missing and nothing twice. Returns what was made now.
    """
    lock_name(session, f"invoices:{checkout_id}")
    known = session.scalars(select(Invoice).where(Invoice.checkout_id == checkout_id)).all()
    done = {row.restores_id for row in known}
    notes = [row for row in known if row.kind == "credit_note" and row.cause == cause and row.id not in done]
    made = []
    # In the order of their issuers, as when they were issued.
    for note in sorted(notes, key=lambda n: (n.issuer_org_id, n.recipient_org_id, n.charge)):
        content = {name: value for name, value in note.content.items() if name != "credits"}
        row = Invoice(
            kind="invoice",
            issuer_org_id=note.issuer_org_id,
            recipient_org_id=note.recipient_org_id,
            checkout_id=checkout_id,
            cause=f"restored:{cause}",
            restores_id=note.id,
            charge=note.charge,
            currency=note.currency,
            net=note.net,
            tax=note.tax,
            gross=note.gross,
            tax_rate_bps=note.tax_rate_bps,
            treatment=note.treatment,
            content={**content, "restores": note.number},
            created_at=clock.now(),
        )
        _give(session, actor, row, "invoice_restored", mail=True)
        made.append(row)
    return made


def document_made(session: Session, invoice_id: str, *, key: str, sha256: str) -> None:
    """Attach the PDF, once."""
    session.execute(
        insert(InvoiceDocument)
        .values(invoice_id=invoice_id, key=key, sha256=sha256, created_at=clock.now())
        .on_conflict_do_nothing()
    )


def _issue(
    session: Session,
    actor: Actor,
    checkout: Checkout,
    cause: str,
    drafts: Sequence[_Draft],
    *,
    credits_paid: bool = False,
) -> list[Invoice]:
    lock_name(session, f"invoices:{checkout.id}")
    known = list(session.scalars(select(Invoice).where(Invoice.checkout_id == checkout.id)))
    done = {(row.issuer_org_id, row.recipient_org_id, row.charge) for row in known if row.cause == cause}
    parties = _parties(session, {org for draft in drafts for org in (draft.issuer, draft.recipient)})
    now = clock.now()
    made = []
    # In the order of their issuers: two jobs that number for the same issuers take the series' locks alike.
    for draft in sorted(drafts, key=lambda d: (d.issuer, d.recipient, d.charge)):
        if (draft.issuer, draft.recipient, draft.charge) in done:
            continue
        corrected = _credited(known, draft) if credits_paid else None
        row = _make(draft, checkout, cause, parties, now, corrected)
        _give(session, actor, row, f"{row.kind}_issued", mail=credits_paid)
        known.append(row)
        made.append(row)
    return made


def _give(session: Session, actor: Actor, row: Invoice, told: str, *, mail: bool) -> None:
    """Number a document, keep it, have its PDF made and tell its recipient."""
    row.number = _number(session, row.issuer_org_id, row.kind, row.created_at)
    session.add(row)
    session.flush()
    record(session, actor, f"invoice.{row.kind}", row.id, owner_org_id=row.recipient_org_id, number=row.number)
    stage(session, JobName.MAKE_INVOICE_DOCUMENT, row.id, {"invoice_id": row.id}, subject=row.id)
    path = f"/invoices/{row.id}"
    notify_org(session, row.recipient_org_id, told, path=path, mail=mail, number=row.number, amount=row.gross_money)


def _make(
    draft: _Draft,
    checkout: Checkout,
    cause: str,
    parties: dict[str, Party],
    now: datetime,
    corrected: _Corrected | None,
) -> Invoice:
    """An invoice, or a credit note taxed as the invoice it corrects.

    The tax of a note is what the tax of all that was credited grows by, so that notes in steps leave no tax over.
    """
    first = corrected.first if corrected is not None else None
    if first is None:
        seller, buyer = parties[draft.issuer], parties[draft.recipient]
        tax = tax_of(seller, buyer, draft.charge, now.astimezone(UTC).date())
        treatment, rate = tax.treatment, tax.rate_bps
        sides: dict[str, Any] = {"seller": seller.to_json(), "buyer": buyer.to_json()}
    else:
        treatment, rate = first.treatment, first.tax_rate_bps
        sides = {"seller": first.content["seller"], "buyer": first.content["buyer"], "credits": first.number}
    before = corrected.gross if corrected is not None else 0
    taxed = corrected.tax if corrected is not None else 0
    # An undone note can leave a unit more than belongs to the rest.
    amount = min(max(tax_in(before + draft.gross, rate) - taxed, 0), draft.gross)
    return Invoice(
        kind="credit_note" if first is not None else "invoice",
        issuer_org_id=draft.issuer,
        recipient_org_id=draft.recipient,
        checkout_id=checkout.id,
        cause=cause,
        credits_id=first.id if first is not None else None,
        charge=draft.charge,
        currency=checkout.currency,
        net=draft.gross - amount,
        tax=amount,
        gross=draft.gross,
        tax_rate_bps=rate,
        treatment=treatment,
        content={
            **sides,
            "purpose": checkout.purpose,
            "about": checkout.about,
            "description": checkout.description,
            "subject": checkout.subject_id,
            "paid_at": checkout.paid_at.isoformat() if checkout.paid_at else None,
        },
        created_at=now,
    )


def _credited(known: Sequence[Invoice], draft: _Draft) -> _Corrected:
    """What a credit note corrects. Raises Invalid `credit_too_large`."""
    rows = [row for row in known if (row.issuer_org_id, row.recipient_org_id, row.charge) == _sides(draft)]
    first = next((row for row in rows if row.kind == "invoice" and row.restores_id is None), None)
    notes = [(1, row) for row in rows if row.kind == "credit_note"]
    notes += [(-1, row) for row in rows if row.restores_id is not None]
    gross = sum(sign * row.gross for sign, row in notes)
    if first is None or gross + draft.gross > first.gross:
        raise Invalid("credit_too_large", "More would be credited than was invoiced.")
    return _Corrected(first, gross, sum(sign * row.tax for sign, row in notes))


def _sides(draft: _Draft) -> tuple[str, str, str]:
    return (draft.issuer, draft.recipient, draft.charge)


def _number(session: Session, issuer: str, kind: str, now: datetime) -> str:
    """The next number. The row stays locked until the transaction ends, and a rollback gives the number back."""
    year = now.astimezone(UTC).year
    series = insert(InvoiceSeries).values(issuer_org_id=issuer, kind=kind, year=year, last=1)
    taken = session.scalar(
        series.on_conflict_do_update(
            index_elements=["issuer_org_id", "kind", "year"], set_={"last": InvoiceSeries.last + 1}
        ).returning(InvoiceSeries.last)
    )
    return number_of(issuer, kind, year, int(taken or 0))


def _platform(session: Session) -> str | None:
    """The operator's organization, which invoices our fee; None before the operator has signed up."""
    query = select(Organization.id).where(Organization.kind == "operator").order_by(Organization.created_at)
    return session.scalars(query.limit(1)).one_or_none()


def _parties(session: Session, org_ids: set[str]) -> dict[str, Party]:
    said = {row.org_id: row for row in session.scalars(select(TaxProfile).where(TaxProfile.org_id.in_(org_ids)))}
    found = {}
    for org in session.scalars(select(Organization).where(Organization.id.in_(org_ids))):
        held = said.get(org.id)
        name, number = (org.name, "") if held is None else (held.legal_name, held.tax_id)
        address = (held.address if held else "") or org.address
        found[org.id] = Party(org.id, name, address, org.country, number)
    return found


def reader_locale(session: Session, org_id: str) -> str:
    """The language of an organization's first member; documents to it are written in that."""
    query = (
        select(User.locale)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id)
        .order_by(Membership.created_at, Membership.id)
        .limit(1)
    )
    return session.scalars(query).one_or_none() or "en"
