"""The main menu of each role."""

from flask import g, request, url_for
from flask_babel import lazy_gettext as _l

from marketplace.policy.permissions import Permission as P
from marketplace.web.call import can, current_actor
from marketplace.web.section import ROUTES
from marketplace.web.templating import NavItem

# (label, endpoint, permission that shows it)
_MENU = (
    (_l("Home"), "home.index", P.ACCOUNT),
    (_l("Designs"), "designs.index", P.DESIGN_CREATE),
    (_l("Catalog"), "catalog.index", P.CATALOG_BROWSE),
    (_l("Negotiations"), "negotiations.index", P.NEGOTIATION_LIST),
    (_l("Term sheets"), "term_sheets.index", P.TERM_SHEETS),
    (_l("Approvals"), "approvals.index", P.APPROVAL_READ),
    (_l("Licenses"), "licenses.index", P.LICENSE_LIST),
    (_l("Requests"), "rfqs.index", P.RFQ_LIST),
    (_l("Orders"), "orders.index", P.ORDER_LIST),
    (_l("Royalties"), "royalties.index", P.ROYALTY_LIST),
    (_l("Payouts"), "payouts.index", P.PAYOUT_READ),
    (_l("Invoices"), "invoices.index", P.INVOICE_LIST),
    (_l("Alloys and rules"), "materials.index", P.MATERIALS_EDIT),
    (_l("Money"), "money_desk.index", P.MONEY_DESK),
    (_l("Approvals"), "desk.vetting", P.VETTING_REVIEW),
    (_l("Bank files"), "bank_files.index", P.BANK_FILE),
    (_l("Trace"), "tracing.index", P.CAD_TRACE),
    (_l("Audit"), "audit.index", P.AUDIT_READ),
)


def navigation() -> list[NavItem]:
    """The entries the current person may open; nothing for a visitor."""
    if not current_actor().signed_in:
        return []
    here = (request.endpoint or "").partition(".")[0]
    return [
        NavItem(
            label=label,
            url=url_for(endpoint),
            active=endpoint.partition(".")[0] == here,
            count=g.get("unread_threads", 0) if endpoint == "negotiations.index" else 0,
        )
        for label, endpoint, permission in _MENU
        if endpoint in ROUTES and can(permission)
    ]


def links() -> dict[str, object]:
    """Where the layout's fixed links lead."""
    if not current_actor().signed_in:
        return {
            "home_url": url_for("public.landing"),
            "sign_in_url": url_for("accounts.sign_in_page"),
            "sign_up_url": url_for("accounts.join_page"),
        }
    account = ((_l("Settings"), "settings.account", P.ACCOUNT), (_l("Your data"), "privacy.index", P.PRIVACY_REQUEST))
    return {
        "home_url": url_for("home.index"),
        "notifications_url": url_for("notifications.index") if "notifications.index" in ROUTES else None,
        "sign_out_url": url_for("accounts.sign_out"),
        "account_links": [
            {"label": label, "url": url_for(endpoint)}
            for label, endpoint, permission in account
            if endpoint in ROUTES and can(permission)
        ],
    }
