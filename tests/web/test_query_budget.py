"""How many statements each page may send, with a whole trade in the database.

The one that finds the person, sets the tenant and counts the unread is part of each number. A page that is not in the
table fails the run; a page that needs more than its number does too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from marketplace import features
from marketplace.policy.permissions import GRANTS, Permission
from marketplace.web.section import ROUTES
from tests.access.calling import path_of
from tests.access.rows import ROWS
from tests.kit.world import World

assert features.OPEN_ENDPOINTS
PAGES = sorted(n for n, s in ROUTES.items() if s.methods == ("GET",) and not ROWS[n].spends)
BUDGET: dict[str, int] = {
    "accounts.check_mail": 1,
    "accounts.confirm_page": 1,
    "accounts.invitation_page": 3,
    "accounts.join_page": 1,
    "accounts.new_password_page": 1,
    "accounts.reset_page": 1,
    "accounts.sign_in_page": 1,
    "addenda.amend_page": 3,
    "addenda.document": 3,
    "addenda.paper": 5,
    "api_accounts.me": 4,
    "api_audit.audit": 2,
    "api_catalog.catalog": 3,
    "api_catalog.catalog_design": 7,
    "api_contracts.addendum_document": 3,
    "api_contracts.list_addenda": 4,
    "api_contracts.log": 3,
    "api_contracts.show_addendum": 4,
    "api_contracts.signing_disclosure": 1,
    "api_first_refusals.list_asks": 3,
    "api_first_refusals.show_ask": 2,
    "api_inbox.list_negotiations": 3,
    "api_invoices.list_invoices": 2,
    "api_invoices.show_invoice": 2,
    "api_licenses.document": 2,
    "api_licenses.list_licenses": 5,
    "api_licenses.show_license": 5,
    "api_manufacturing.cad_copies": 3,
    "api_manufacturing.cad_links": 3,
    "api_manufacturing.nda": 4,
    "api_materials.show": 4,
    "api_negotiations.fetch_file": 3,
    "api_negotiations.list_messages": 3,
    "api_negotiations.show_negotiation": 4,
    "api_playbook.design_sheet": 3,
    "api_playbook.list_approvals": 2,
    "api_playbook.list_sheets": 2,
    "api_playbook.past_deals": 2,
    "api_playbook.show_brief": 4,
    "api_playbook.show_limits": 2,
    "api_playbook.show_prices": 2,
    "approvals.index": 4,
    "approvals.limits_page": 3,
    "deals.usual": 2,
    "term_sheets.edit": 2,
    "term_sheets.for_design": 4,
    "term_sheets.index": 3,
    "term_sheets.new": 1,
    "term_sheets.prices_page": 2,
    "api_orders.order_rfqs": 3,
    "api_orders.orders": 3,
    "api_orders.rfq": 3,
    "api_orders.rfqs": 3,
    "api_money.dispute": 2,
    "api_money.payment": 7,
    "api_money.refund": 2,
    "api_payments.entries": 3,
    "api_payments.payouts": 4,
    "api_privacy.show": 2,
    "api_production.order": 5,
    "api_royalties.csv": 3,
    "api_royalties.pdf": 2,
    "api_royalties.royalties": 6,
    "api_royalties.statement": 3,
    "api_royalties.statements": 3,
    "api_rights.design_rights": 7,
    "api_studio.list_designs": 2,
    "api_studio.photo_edits_of": 5,
    "api_studio.show_asset": 3,
    "api_studio.show_design": 8,
    "api_studio.show_job": 2,
    "api_studio.tech_pack": 5,
    "assets.show": 2,
    "audit.index": 2,
    "bank_files.index": 4,
    "bank_files.show": 3,
    "catalog.index": 3,
    "catalog.show": 5,
    "designs.edit": 2,
    "designs.edit_words": 3,
    "designs.facts_page": 3,
    "designs.index": 2,
    "designs.new": 1,
    "designs.photo": 6,
    "designs.results": 7,
    "designs.show": 9,
    "designs.tech_pack_json": 5,
    "designs.tech_pack_pdf": 5,
    "designs.words": 5,
    "desk.organization": 3,
    "desk.vetting": 4,
    "first_refusals.show": 3,
    "home.index": 2,
    "invoices.details": 3,
    "invoices.document": 3,
    "invoices.export": 2,
    "invoices.index": 3,
    "invoices.show": 4,
    "licenses.document": 2,
    "licenses.index": 4,
    "licenses.show": 8,
    "mail.settings": 2,
    "mail.unsubscribe_page": 1,
    "manufacturing.cad_log": 3,
    "manufacturing.copies": 2,
    "manufacturing.nda": 4,
    "manufacturing.profile": 2,
    "manufacturing.who_sees": 2,
    "materials.index": 4,
    "negotiations.away": 3,
    "negotiations.counter_page": 6,
    "negotiations.fetch_file": 3,
    "negotiations.file_row": 3,
    "negotiations.index": 4,
    "negotiations.listing": 4,
    "negotiations.new": 6,
    "negotiations.news": 6,  # 3 when nothing moved
    "negotiations.reopen_page": 6,
    "negotiations.show": 5,
    "negotiations.version": 4,
    "notifications.index": 2,
    "orders.index": 4,
    "orders.makers": 4,
    "orders.new": 5,
    "orders.show": 8,
    "api_payee_bank.bank": 3,
    "bank_files.report": 3,
    "payee_bank.edit": 5,
    "money.dispute": 3,
    "money.payment": 7,
    "money.refund": 5,
    "money_desk.dispute": 2,
    "money_desk.file": 2,
    "money_desk.index": 11,
    "money_desk.payment": 7,
    "money_desk.refund": 4,
    "payouts.account": 3,
    "orders.tech_pack": 2,
    "payouts.index": 10,
    "privacy.index": 2,
    "production.bench": 6,
    "production.evidence_row": 3,
    "production.ship_page": 2,
    "public.about": 1,
    "public.landing": 1,
    "public.privacy": 1,
    "public.sandbox": 1,
    "public.terms": 1,
    "rights.available": 4,
    "rights.design_map": 7,
    "rights.of_offer": 6,
    "rfqs.index": 4,
    "rfqs.show": 5,
    "royalties.document": 2,
    "royalties.evidence": 3,
    "royalties.index": 7,
    "royalties.lines_csv": 3,
    "royalties.of_license": 6,
    "royalties.show": 10,
    "sales.page": 9,
    "sales.template_csv": 1,
    "settings.account": 5,
    "styleguide.index": 1,
    "tracing.index": 2,
    "tracing.show": 2,
    "verify.by_code": 2,
    "verify.index": 1,
}


@pytest.fixture
def statements(world: World) -> Iterator[Callable[[], list[str]]]:
    """The statements the world's application has sent since the last call."""
    engine = world.app.extensions["services"].engine
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)

    def taken() -> list[str]:
        found = list(seen)
        seen.clear()
        return found

    yield taken
    event.remove(engine, "before_cursor_execute", note)


def _readers(name: str) -> list[str]:
    needs, row = ROUTES[name].needs, ROWS[name]
    if needs is Permission.PUBLIC:
        return ["designer"]
    roles = GRANTS[needs].roles
    return sorted(roles & row.parties if row.args and not row.shared else roles)


def test_every_page_has_a_budget() -> None:
    assert set(PAGES) - set(BUDGET) == set()
    assert set(BUDGET) - set(PAGES) == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_its_budget(world: World, statements: Callable[[], list[str]], name: str) -> None:
    spec, row = ROUTES[name], ROWS[name]
    worst: tuple[int, str, list[str]] = (0, "", [])
    for role in _readers(name):
        person = world.ours.people[role]
        path = path_of(spec, row, world, world.ours)
        client = world.api_of(person).client if spec.api else world.browser_of(person).client
        headers = person.api.headers if spec.api else {}
        client.get(path, headers=headers)  # what a process keeps from the first time on is not the page's
        statements()
        answer = client.get(path, headers=headers)
        sent = statements()
        assert answer.status_code in row.answers
        answer.close()
        worst = max(worst, (len(sent), role, sent))
    assert worst[0] <= BUDGET[name], f"{worst[0]} statements as {worst[1]}:\n" + "\n".join(worst[2])
