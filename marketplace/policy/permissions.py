"""Every permission as scope:resource:action, and the table of who holds it."""

from dataclasses import dataclass
from enum import StrEnum

ROLES = ("designer", "buyer", "manufacturer", "production_manager", "operator")


class Permission(StrEnum):
    """A right a route can ask for with `needs=`."""

    PUBLIC = "public:page:read"
    ACCOUNT = "own:account:use"
    ORG_INVITE = "org:member:invite"
    NOTIFICATION_READ = "own:notification:read"
    JOB_READ = "org:job:read"
    AUDIT_READ = "org:audit:read"
    PRIVACY_REQUEST = "own:privacy:request"

    DESIGN_CREATE = "org:design:create"
    DESIGN_READ = "org:design:read"
    DESIGN_EDIT = "org:design:edit"
    DESIGN_LIST = "org:design:list"
    ASSET_READ = "org:asset:read"
    ASSET_UPLOAD = "org:asset:upload"
    CONTENT_DRAFT = "org:content:draft"
    CONTENT_APPROVE = "org:content:approve"

    CATALOG_BROWSE = "trade:catalog:read"
    CATALOG_SAVE = "trade:catalog:save"

    NEGOTIATION_OPEN = "trade:negotiation:open"
    NEGOTIATION_LIST = "org:negotiation:list"
    NEGOTIATION_READ = "party:negotiation:read"
    NEGOTIATION_ACT = "party:negotiation:act"
    MESSAGE_SEND = "party:message:send"
    TERM_SHEETS = "own:terms:edit"
    DEALS_READ = "own:deals:read"
    APPROVAL_READ = "org:approval:read"
    APPROVAL_DECIDE = "org:approval:decide"
    LIMITS_EDIT = "org:limits:edit"

    LICENSE_LIST = "org:license:list"
    LICENSE_READ = "party:license:read"
    LICENSE_SIGN = "party:license:sign"
    LICENSE_CHANGE = "party:license:change"
    LICENSE_ATTEST = "buyer:license:attest"
    LICENSE_PAY = "buyer:license:pay"

    ORDER_CREATE = "buyer:order:create"
    ORDER_LIST = "org:order:list"
    ORDER_READ = "party:order:read"
    ORDER_ROUTE = "manager:order:route"
    ORDER_AWARD = "manager:order:award"
    ORDER_PAY = "buyer:order:pay"
    ORDER_CANCEL = "party:order:cancel"
    RFQ_LIST = "maker:rfq:list"
    RFQ_READ = "maker:rfq:read"
    QUOTE_SUBMIT = "maker:quote:submit"
    NDA_READ = "maker:nda:read"
    NDA_SIGN = "maker:nda:sign"
    NDA_CONTROL = "designer:nda:control"
    CAD_LINK = "maker:cad:link"
    STAGE_RECORD = "maker:stage:record"
    SHIPMENT_RECORD = "maker:shipment:record"
    DELIVERY_ACCEPT = "buyer:delivery:accept"
    WORKSHOP_PROFILE = "own:workshop:edit"
    MATERIALS_EDIT = "own:materials:edit"

    PAYOUT_READ = "org:payout:read"
    PAYOUT_ONBOARD = "org:payout:onboard"
    PAYOUT_BANK = "org:payout:bank"
    LEDGER_READ = "org:ledger:read"
    INVOICE_LIST = "org:invoice:list"
    INVOICE_READ = "party:invoice:read"
    INVOICE_DETAILS = "org:invoice:details"

    ROYALTY_LIST = "org:royalty:list"
    STATEMENT_READ = "party:statement:read"
    STATEMENT_PAY = "buyer:statement:pay"
    STATEMENT_ASK = "designer:statement:ask"
    SALES_REPORT = "buyer:sales:report"
    INQUIRY_REPLY = "party:inquiry:reply"

    PAYMENT_READ = "buyer:payment:read"
    PAYMENT_RELEASE = "buyer:payment:release"
    REFUND_ASK = "buyer:refund:ask"
    REFUND_READ = "party:refund:read"
    DISPUTE_READ = "party:dispute:read"

    MONEY_DESK = "platform:money:control"
    VETTING_REVIEW = "platform:vetting:review"
    DESK_READ = "platform:desk:read"
    BANK_FILE = "platform:payout:file"
    CAD_TRACE = "platform:cad:trace"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who holds a permission: roles, the relation to the subject that is needed besides, and vetting."""

    roles: frozenset[str]
    relations: frozenset[str] = frozenset()
    approved: bool = True
    confirmed: bool = True
    admin: bool = False


def _grant(
    roles: str, relations: str = "", *, approved: bool = True, confirmed: bool = True, admin: bool = False
) -> Grant:
    return Grant(frozenset(roles.split()), frozenset(relations.split()), approved, confirmed, admin)


_ALL = " ".join(ROLES)
_MEMBERS = "designer buyer manufacturer production_manager"
P = Permission

#: The hand-written part of access control; everything else is derived from it and tested against it.
GRANTS: dict[Permission, Grant] = {
    P.ACCOUNT: _grant(_ALL, approved=False, confirmed=False),
    P.ORG_INVITE: _grant(_ALL, approved=False, admin=True),
    P.NOTIFICATION_READ: _grant(_ALL, approved=False, confirmed=False),
    P.JOB_READ: _grant(_ALL, approved=False, confirmed=False),
    P.AUDIT_READ: _grant(_ALL, approved=False),
    P.PRIVACY_REQUEST: _grant(_ALL, approved=False, confirmed=False),
    P.DESIGN_CREATE: _grant("designer"),
    P.DESIGN_READ: _grant("designer", "owner"),
    P.DESIGN_EDIT: _grant("designer", "owner"),
    P.DESIGN_LIST: _grant("designer", "owner"),
    P.ASSET_READ: _grant(_MEMBERS, "owner"),
    P.ASSET_UPLOAD: _grant("designer buyer manufacturer", "owner"),
    P.CONTENT_DRAFT: _grant("designer", "owner"),
    P.CONTENT_APPROVE: _grant("designer", "owner"),
    P.CATALOG_BROWSE: _grant(_ALL),
    P.CATALOG_SAVE: _grant("buyer"),
    P.NEGOTIATION_OPEN: _grant("buyer"),
    P.NEGOTIATION_LIST: _grant("designer buyer"),
    P.NEGOTIATION_READ: _grant("designer buyer", "designer buyer"),
    P.NEGOTIATION_ACT: _grant("designer buyer", "designer buyer"),
    P.MESSAGE_SEND: _grant("designer buyer", "designer buyer"),
    P.TERM_SHEETS: _grant("designer", "owner designer"),
    P.DEALS_READ: _grant("designer buyer"),
    P.APPROVAL_READ: _grant("buyer"),
    P.APPROVAL_DECIDE: _grant("buyer", "owner"),
    P.LIMITS_EDIT: _grant("buyer", admin=True),
    P.LICENSE_LIST: _grant("designer buyer"),
    P.LICENSE_READ: _grant("designer buyer", "designer buyer"),
    P.LICENSE_SIGN: _grant("designer buyer", "designer buyer"),
    P.LICENSE_CHANGE: _grant("designer buyer", "designer buyer"),
    P.LICENSE_ATTEST: _grant("buyer", "buyer"),
    P.LICENSE_PAY: _grant("buyer", "buyer"),
    P.ORDER_CREATE: _grant("buyer", "buyer"),
    P.ORDER_LIST: _grant(_MEMBERS),
    P.ORDER_READ: _grant(_MEMBERS, "buyer designer manager maker"),
    P.ORDER_ROUTE: _grant("production_manager", "manager"),
    P.ORDER_AWARD: _grant("production_manager", "manager"),
    P.ORDER_PAY: _grant("buyer", "buyer"),
    P.ORDER_CANCEL: _grant("buyer production_manager", "buyer manager"),
    P.RFQ_LIST: _grant("manufacturer"),
    P.RFQ_READ: _grant("manufacturer production_manager", "maker manager"),
    P.QUOTE_SUBMIT: _grant("manufacturer", "maker"),
    P.NDA_READ: _grant("manufacturer designer", "maker designer"),
    P.NDA_SIGN: _grant("manufacturer", "maker"),
    P.NDA_CONTROL: _grant("designer", "designer"),
    P.CAD_LINK: _grant("manufacturer", "maker quoter"),
    P.STAGE_RECORD: _grant("manufacturer", "maker"),
    P.SHIPMENT_RECORD: _grant("manufacturer", "maker"),
    P.DELIVERY_ACCEPT: _grant("buyer", "buyer"),
    P.WORKSHOP_PROFILE: _grant("manufacturer", approved=False),
    P.MATERIALS_EDIT: _grant("designer manufacturer"),
    P.PAYOUT_READ: _grant("designer manufacturer"),
    P.PAYOUT_ONBOARD: _grant("designer manufacturer"),
    P.PAYOUT_BANK: _grant("designer manufacturer", admin=True),
    P.LEDGER_READ: _grant(_ALL, approved=False),
    P.INVOICE_LIST: _grant("designer buyer manufacturer operator"),
    P.INVOICE_READ: _grant("designer buyer manufacturer operator", "issuer recipient"),
    P.INVOICE_DETAILS: _grant("designer buyer manufacturer operator", admin=True),
    P.ROYALTY_LIST: _grant("designer buyer"),
    P.STATEMENT_READ: _grant("designer buyer", "designer buyer"),
    P.STATEMENT_PAY: _grant("buyer", "buyer"),
    P.STATEMENT_ASK: _grant("designer", "designer"),
    P.SALES_REPORT: _grant("buyer", "buyer"),
    P.INQUIRY_REPLY: _grant("designer buyer", "designer buyer"),
    P.PAYMENT_READ: _grant("buyer", "payer"),
    P.PAYMENT_RELEASE: _grant("buyer", "payer"),
    P.REFUND_ASK: _grant("buyer", "payer"),
    P.REFUND_READ: _grant("buyer designer manufacturer", "payer payee"),
    P.DISPUTE_READ: _grant("buyer designer manufacturer", "payer payee"),
    P.MONEY_DESK: _grant("operator"),
    P.VETTING_REVIEW: _grant("operator"),
    P.DESK_READ: _grant("operator"),
    P.BANK_FILE: _grant("operator"),
    P.CAD_TRACE: _grant("operator"),
}
