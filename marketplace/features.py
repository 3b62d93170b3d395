"""The list of features that make up the site; a route without a declared permission stops the start."""

from flask import Flask

from marketplace.accounts import api as accounts_api
from marketplace.accounts import settings_views
from marketplace.accounts import views as accounts_views
from marketplace.audit import api as audit_api
from marketplace.audit import views as audit_views
from marketplace.catalog import api as catalog_api
from marketplace.catalog import views as catalog_views
from marketplace.desk import tracing_views
from marketplace.desk import views as desk_views
from marketplace.home import views as home_views
from marketplace.inbox import api as inbox_api
from marketplace.inbox import mail_views
from marketplace.inbox import views as inbox_views
from marketplace.invoices import api as invoices_api
from marketplace.invoices import views as invoices_views
from marketplace.licensing import (
    addendum_views,
    contract_api,
    license_api,
    license_views,
    rights_api,
    rights_views,
    verify_views,
)
from marketplace.licensing import thread_api as licensing_api
from marketplace.licensing.playbook import approval_views, sheet_views
from marketplace.licensing.playbook import sheet_api as playbook_api
from marketplace.licensing.refusal import api as refusal_api
from marketplace.licensing.refusal import views as refusal_views
from marketplace.manufacturing import api as manufacturing_api
from marketplace.manufacturing import views as manufacturing_views
from marketplace.materials import api as materials_api
from marketplace.materials import views as materials_views
from marketplace.notifications import views as notifications_views
from marketplace.orders import api as orders_api
from marketplace.orders import rfq_views
from marketplace.orders import views as orders_views
from marketplace.payments import api as payments_api
from marketplace.payments import back_api as payments_back_api
from marketplace.payments import desk as payments_desk
from marketplace.payments import pages as payments_pages
from marketplace.payments import views as payments_views
from marketplace.payments.rails import api as rail_api
from marketplace.payments.rails import views as rail_views
from marketplace.privacy import api as privacy_api
from marketplace.privacy import views as privacy_views
from marketplace.production import api as production_api
from marketplace.production import views as production_views
from marketplace.public import views as public_views
from marketplace.royalties import api as royalties_api
from marketplace.royalties import report_views
from marketplace.royalties import views as royalties_views
from marketplace.studio import asset_views, photo_api, photo_views
from marketplace.web.section import ROUTES, Section

#: Endpoints that are not sections: health, static files, the API document. All are public and read-only.
OPEN_ENDPOINTS = frozenset({"static", "health.healthz", "health.readyz", "api_document.openapi"})


def sections(*, development: bool) -> list[Section]:
    """Every section of the site; the style guide only in development."""
    found = [
        public_views.section,
        home_views.section,
        accounts_views.section,
        settings_views.section,
        settings_views.preferences,
        accounts_api.api,
        photo_views.section,
        asset_views.section,
        photo_api.api,
        materials_views.section,
        materials_api.api,
        catalog_views.section,
        catalog_api.api,
        notifications_views.section,
        audit_views.section,
        audit_api.api,
        desk_views.section,
        tracing_views.section,
        privacy_views.section,
        privacy_api.api,
        payments_views.section,
        payments_views.webhooks,
        rail_views.section,
        rail_views.desk,
        rail_api.api,
        payments_pages.section,
        payments_desk.section,
        payments_api.api,
        payments_back_api.api,
        invoices_views.section,
        invoices_api.api,
        orders_views.section,
        rfq_views.section,
        orders_api.api,
        royalties_views.section,
        report_views.section,
        royalties_api.api,
        manufacturing_views.section,
        manufacturing_api.api,
        production_views.section,
        production_api.api,
        inbox_views.section,
        licensing_api.api,
        inbox_api.api,
        mail_views.section,
        rights_views.section,
        rights_api.api,
        refusal_views.section,
        refusal_api.api,
        license_views.section,
        addendum_views.section,
        verify_views.section,
        sheet_views.section,
        approval_views.section,
        approval_views.deals,
        playbook_api.api,
        license_api.api,
        contract_api.api,
    ]
    if development:
        found.append(public_views.styleguide)
    return found


def assert_every_route_declares(app: Flask) -> None:
    """Raise RuntimeError for a URL rule that no Section made."""
    undeclared = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in ROUTES and rule.endpoint not in OPEN_ENDPOINTS
    ]
    if undeclared:
        raise RuntimeError(f"routes without a permission: {undeclared}")
