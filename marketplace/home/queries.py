"""What waits for an organization, counted in one statement per role."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.accounts.rules import VETTING
from marketplace.designs.models import Asset, Design
from marketplace.licensing.models import License, Negotiation, Signature
from marketplace.licensing.rules import SIGNS_FIRST
from marketplace.manufacturing.models import Nda
from marketplace.orders.models import Order, Rfq
from marketplace.payments.models import PaymentAccount
from marketplace.royalties.models import Statement
from marketplace.royalties.rules import OPEN

#: The states in which a workshop works on an order.
_WORKING = ("paid", "in_production")


def counts(session: Session, role: str, org_id: str) -> dict[str, int]:
    """Numbers by name, for the role's home page; every role has its own names."""
    wanted = _BY_ROLE[role](org_id)
    row = session.execute(select(*(query.label(name) for name, query in wanted.items()))).one()
    return {name: int(getattr(row, name) or 0) for name in wanted}


def _count(model: Any, *where: Any) -> Any:
    return select(func.count()).select_from(model).where(*where).scalar_subquery()


def _unsigned(side: str) -> ColumnElement[bool]:
    return ~exists().where(Signature.license_id == License.id, Signature.side == side, Signature.addendum_id.is_(None))


def _payable(org_id: str) -> Any:
    return _count(
        PaymentAccount,
        PaymentAccount.org_id == org_id,
        PaymentAccount.transfers_active,
        PaymentAccount.payouts_enabled,
    )


def _designer(org_id: str) -> dict[str, Any]:
    return {
        "drafts": _count(Design, Design.org_id == org_id, Design.state == "draft"),
        "listed": _count(Design, Design.org_id == org_id, Design.state == "listed"),
        "refused_files": _count(Asset, Asset.org_id == org_id, Asset.state == "rejected", Asset.removed_at.is_(None)),
        "your_turn": _count(
            Negotiation,
            Negotiation.designer_org_id == org_id,
            Negotiation.state == "open",
            Negotiation.turn == "designer",
        ),
        "to_sign": _count(
            License, License.designer_org_id == org_id, License.state == "to_sign", _unsigned("designer")
        ),
        "active": _count(License, License.designer_org_id == org_id, License.state == "active"),
        "running": _count(Order, Order.designer_org_id == org_id, Order.state.not_in(("delivered", "canceled"))),
        "payable": _payable(org_id),
    }


def _buyer(org_id: str) -> dict[str, Any]:
    return {
        "your_turn": _count(
            Negotiation, Negotiation.buyer_org_id == org_id, Negotiation.state == "open", Negotiation.turn == "buyer"
        ),
        "waiting": _count(
            Negotiation,
            Negotiation.buyer_org_id == org_id,
            Negotiation.state == "open",
            Negotiation.turn == "designer",
        ),
        # The designer signs first.
        "to_sign": _count(
            License,
            License.buyer_org_id == org_id,
            License.state == "to_sign",
            _unsigned("buyer"),
            ~_unsigned(SIGNS_FIRST),
        ),
        "to_pay": _count(License, License.buyer_org_id == org_id, License.state == "to_pay"),
        "active": _count(License, License.buyer_org_id == org_id, License.state == "active"),
        "orders_to_pay": _count(Order, Order.buyer_org_id == org_id, Order.state == "awarded"),
        "reports": _count(
            Statement,
            Statement.buyer_org_id == org_id,
            Statement.state == "draft",
            Statement.report_due.is_not(None),
        ),
        "royalties_to_pay": _count(
            Statement, Statement.buyer_org_id == org_id, Statement.state.in_(OPEN), Statement.amount_due > 0
        ),
        "shipped": _count(Order, Order.buyer_org_id == org_id, Order.state == "shipped"),
        "running": _count(Order, Order.buyer_org_id == org_id, Order.state.not_in(("delivered", "canceled"))),
    }


def _manufacturer(org_id: str) -> dict[str, Any]:
    signed = exists().where(Nda.order_id == Order.id, Nda.maker_org_id == org_id, Nda.revoked_at.is_(None))
    return {
        "requests": _count(Rfq, Rfq.maker_org_id == org_id, Rfq.state == "open"),
        "quoted": _count(Rfq, Rfq.maker_org_id == org_id, Rfq.state == "quoted"),
        "ndas": _count(Order, Order.maker_org_id == org_id, Order.state.in_(("awarded", *_WORKING)), ~signed),
        "making": _count(Order, Order.maker_org_id == org_id, Order.state.in_(_WORKING)),
        "payable": _payable(org_id),
    }


def _production_manager(org_id: str) -> dict[str, Any]:
    return {
        "placed": _count(Order, Order.manager_org_id == org_id, Order.state == "placed"),
        "quoting": _count(Order, Order.manager_org_id == org_id, Order.state == "quoting"),
        "making": _count(Order, Order.manager_org_id == org_id, Order.state.in_(_WORKING)),
        "shipped": _count(Order, Order.manager_org_id == org_id, Order.state == "shipped"),
    }


def _operator(org_id: str) -> dict[str, Any]:
    waiting = (Organization.state == VETTING.initial, Organization.kind != "operator")
    return {
        "pending": _count(Organization, *waiting),
        "approved": _count(Organization, Organization.state == "approved", Organization.kind != "operator"),
    }


_BY_ROLE = {
    "designer": _designer,
    "buyer": _buyer,
    "manufacturer": _manufacturer,
    "production_manager": _production_manager,
    "operator": _operator,
}
