"""How to call every route: the hand-written half of the access matrix. The other half is policy/permissions.py."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.play import PASSWORD as PLAYED_PASSWORD
from demo.play import SHIP_TO, TERMS
from marketplace.gateways.tokens import Purpose
from marketplace.royalties.tables import template
from tests.kit.people import PASSWORD, Person
from tests.kit.trade import LINK, Side
from tests.kit.world import World

Send = Callable[[World, Side, Person], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """One route.

    `args` names for each URL argument the thing of a side it is called with (`=text` is taken as it is). `parties`
    are the roles of that side whose thing it is; everybody else must not learn that it exists. `shared` things are
    open to everybody who holds the permission.
    """

    args: dict[str, str] = field(default_factory=dict)
    parties: frozenset[str] = frozenset()
    shared: bool = False
    send: Send | None = None
    query: Callable[[World, Side], str] | None = None
    answers: frozenset[int] = frozenset({200})
    #: Refusals of the domain, not of the policy: the person may see the thing, but it is not their turn.
    not_now: frozenset[str] = frozenset()
    #: The thing is one person's, not the whole organization's.
    personal: bool = False
    #: A GET that spends something.
    spends: bool = False


def row(
    parties: str = "",
    send: Send | dict[str, Any] | None = None,
    *,
    shared: bool = False,
    query: Callable[[World, Side], str] | None = None,
    answers: tuple[int, ...] = (200,),
    not_now: str = "",
    personal: bool = False,
    spends: bool = False,
    **args: str,
) -> Row:
    """A row; `parties` and `not_now` are words between spaces."""
    fixed = send
    taken: Send | None = (lambda w, s, p: fixed) if isinstance(fixed, dict) else fixed
    words, waiting = frozenset(parties.split()), frozenset(not_now.split())
    return Row(args, words, shared, taken, query, frozenset(answers), waiting, personal, spends)


def _until(days: int = 10) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0).isoformat()


def _terms(w: World, s: Side, p: Person) -> dict[str, Any]:
    return {"terms": {**TERMS, "valid_until": _until()}, "message": "Please."}


def _counter(w: World, s: Side, p: Person) -> dict[str, Any]:
    return {"base_version": 1, "terms": {**TERMS, "max_units": 300, "valid_until": _until()}}


def _sheet(w: World, s: Side, p: Person) -> dict[str, Any]:
    return {
        "design": s.ids["design"],
        "base_version": "1",
        "kind": "non_exclusive",
        "territories": ["DE", "AT"],
        "channels": ["retail"],
        "term_months": "12",
        "fee": "900",
        "fee_currency": "USD",
    }


def _file(kind: str) -> Send:
    def made(w: World, s: Side, p: Person) -> dict[str, Any]:
        sha256 = hashlib.sha256(kind.encode()).hexdigest()
        return {"filename": "a.jpg", "content_type": "image/jpeg", "size": 900, "sha256": sha256, "kind": kind}

    return made


def _sign_nda(w: World, s: Side, p: Person) -> dict[str, Any]:
    text = w.api_of(s.people["manufacturer"]).get(f"/orders/{s.ids['awarded']}/nda").json
    return {"typed_name": p.user.name, "agree": True, "sha256": text["sha256"]}


def _credentials(w: World, s: Side, p: Person) -> dict[str, Any]:
    played = p.user.email.endswith("@demo.example")
    return {"email": p.user.email, "password": PLAYED_PASSWORD if played else PASSWORD}


def _join(w: World, s: Side, p: Person) -> dict[str, Any]:
    return {
        "role": "buyer",
        "name": "New Person",
        "email": "new.person@example.com",
        "password": "six brass lanterns",
        "business_name": "New House",
        "address": "12 New Street, Testville",
        "country": "GB",
        "adult": "true",
        "terms": "true",
    }


def _token(purpose: Purpose, name: str, thing: Callable[[World, Side], str]) -> Callable[[World, Side], str]:
    def made(w: World, s: Side) -> str:
        tokens = w.app.extensions["services"].tokens
        return "?token=" + str(tokens.sign(purpose, {name: thing(w, s)}))

    return made


_reset = _token(Purpose.PASSWORD_RESET, "user", lambda w, s: s.people["designer"].user.id)
_ended = _token(Purpose.UNSUBSCRIBE, "user", lambda w, s: s.people["designer"].user.id)
_invited = _token(Purpose.INVITE, "invitation", lambda w, s: s.ids["invitation"])
_typed = {"typed_name": "A Person", "agree": True}
_four = "buyer designer manufacturer production_manager"
_two = "designer buyer"
_quote = {"unit_price": {"amount": 29_000, "currency": "USD"}, "lead_days": 20, "valid_until": "2031-01-15"}
_money = {"name": "Maison", "line1": "1 Street", "city": "London", "country": "GB"}
_lines = {"quantity": "2", "metal": "18k_yellow", "ring_size": "US 6"}
_sale = {"quantity": "3", "territory": "GB", "channel": "retail", "gross": "300.00"}
_parcel = {"carrier": "Malca-Amit", "tracking": "MA1"}


_refund_form = {"amount": "1.00", "reason": "quality"}


def _design(send: Any = None, thing: str = "design", **more: Any) -> Row:
    return row("designer", send, design_id=thing, **more)


def _order(thing: str, send: Any = None, parties: str = _four, **more: Any) -> Row:
    return row(parties, send, order_id=thing, **more)


def _negotiation(send: Any = None, **more: Any) -> Row:
    return row(_two, send, negotiation_id="open", **more)


def _answer(**more: Any) -> Send:
    return lambda w, s, p: {"version": 1, **more}


ROWS: dict[str, Row] = {
    # accounts and settings
    "accounts.join_page": row(),
    "accounts.join": row(send=_join),
    "accounts.check_mail": row(),
    "accounts.confirm_page": row(token="confirm:", shared=True),
    "accounts.confirm": row(token="confirm:", shared=True),
    "accounts.confirm_again": row(),
    "accounts.sign_in_page": row(),
    "accounts.sign_in": row(send={"email": "nobody@example.com", "password": "not the password"}),
    "accounts.sign_out": row(),
    "accounts.reset_page": row(),
    "accounts.reset": row(send={"email": "nobody@example.com"}),
    "accounts.new_password_page": row(query=_reset),
    "accounts.new_password": row(query=_reset, send={"password": "six brass lanterns"}),
    "accounts.invitation_page": row(query=_invited),
    "accounts.accept_invitation": row(query=_invited, send={"password": "six brass lanterns", "name": "Invited"}),
    "api_accounts.create_token": row(send=_credentials),
    "api_accounts.me": row(),
    "settings.account": row(),
    "settings.save_account": row(send={"name": "Another Name", "locale": "zh_Hans"}),
    "settings.sign_out_everywhere": row(),
    "settings.invite": row(send={"email": "colleague@example.com"}),
    "settings.withdraw": row("designer", invitation_id="invitation"),
    "preferences.organization": row(send=lambda w, s, p: {"organization": p.org.id}),
    "preferences.time_zone": row(send={"zone": "Europe/Rome"}),
    "preferences.language": row(send={"language": "zh_Hans", "next": "/terms"}),
    "mail.settings": row(),
    "mail.save": row(send={"threads": "daily"}),
    "mail.unsubscribe_page": row(query=_ended),
    "mail.unsubscribe": row(query=_ended),
    "mail.inbound": row(answers=(400,)),
    "notifications.index": row(),
    "notifications.open_one": row("designer", personal=True, notification_id="notification"),
    "notifications.read_all": row(),
    "audit.index": row(),
    "api_audit.audit": row(),
    "home.index": row(),
    "materials.index": row(),
    "materials.save": row(shared=True, send={"value": "15.6"}, entry_id="=alloy:18k_yellow"),
    "materials.undo": row(shared=True, not_now="nothing_to_undo", entry_id="=alloy:sterling"),
    "api_materials.show": row(),
    "api_materials.put": row(shared=True, send={"value": 15.6}, entry_id="=alloy:18k_yellow"),
    "privacy.index": row(),
    "privacy.ask": row(send={"kind": "access"}),
    "privacy.download": row("designer", personal=True, request_id="copy"),
    "api_privacy.ask": row(send={"kind": "access"}),
    "api_privacy.show": row("designer", personal=True, request_id="copy"),
    # public pages
    "public.landing": row(answers=(200, 303)),
    "public.terms": row(),
    "public.privacy": row(),
    "public.about": row(),
    "public.sandbox": row(),
    "styleguide.index": row(),
    # operator
    "tracing.index": row(shared=True),
    "tracing.hand_in": row(),
    "tracing.show": row(shared=True, trace_id="trace"),
    "desk.vetting": row(),
    "desk.organization": row(shared=True, org_id="waiting_org"),
    "desk.review": row(send={"action": "approve"}, shared=True, org_id="waiting_org"),
    # catalog
    "catalog.index": row(),
    "catalog.show": row(shared=True, design_id="design"),
    "catalog.save": row(shared=True, design_id="design"),
    "api_catalog.catalog": row(),
    "api_catalog.catalog_design": row(shared=True, design_id="design"),
    "api_catalog.save": row(shared=True, design_id="design"),
    "api_catalog.unsave": row(shared=True, design_id="design"),
    # designs
    "designs.index": row(),
    "designs.new": row(),
    "designs.create": row(send={"title": "New"}),
    "designs.show": _design(),
    "designs.results": _design(),
    "designs.edit": _design(),
    "designs.save": _design({"title": "Other", "version": "1"}, "draft"),
    "designs.add_asset": _design(_file("photo"), "draft"),
    "designs.upload": _design(lambda w, s, p: {"kind": "photo", "file": (io.BytesIO(b"x"), "a.jpg")}, "draft"),
    "designs.list_design": _design(thing="draft"),
    "designs.unlist_design": _design(),
    "designs.facts_page": _design(),
    "designs.set_fact": _design({"action": "confirm"}, name="=weight_18k_yellow"),
    "designs.confirm_facts": _design({"names": "weight_18k_yellow"}),
    "designs.tech_pack_pdf": _design(),
    "designs.tech_pack_json": _design(),
    "designs.arrange": _design(
        lambda w, s, p: {"picture": s.ids["draft_photo"] + ".photo", "action": "first"}, "draft"
    ),
    "designs.words": _design(),
    "designs.photo": _design(thing="draft", asset_id="draft_photo"),
    "designs.edit_photo": _design(
        {"action": "set", "kind": "exposure", "stops": "0.1"}, "draft", asset_id="draft_photo"
    ),
    "designs.draft_words": _design({"kind": "story"}, "draft"),
    "designs.edit_words": _design(thing="draft", draft_id="story"),
    "designs.save_words": _design({"title": "T", "body": "B", "version": "1"}, "draft", draft_id="story"),
    "designs.approve_words": _design({"version": "1"}, "draft", draft_id="story"),
    "assets.show": row("designer", answers=(200, 303), asset_id="draft_photo"),
    "assets.complete_upload": row("designer", asset_id="draft_photo"),
    "assets.upload_parts": row("designer", asset_id="draft_photo"),
    "assets.reuse_present": row("designer", asset_id="draft_photo"),
    "assets.remove": row("designer", asset_id="draft_photo"),
    "assets.retry": row("designer", asset_id="draft_photo"),
    "assets.choose": row("designer", {"unit": "mm"}, asset_id="cad"),
    "assets.pictures": row("designer", {"look": "noir", "alloy": "18k_rose"}, asset_id="cad"),
    "api_studio.list_designs": row(),
    "api_studio.create_design": row(send={"title": "New"}),
    "api_studio.show_design": _design(),
    "api_studio.tech_pack": _design(),
    "api_studio.edit_design": _design({"title": "Other"}, "draft"),
    "api_studio.create_asset": _design(_file("photo"), "draft"),
    "api_studio.complete_asset": row("designer", asset_id="draft_photo"),
    "api_studio.choose": row("designer", {"unit": "mm"}, asset_id="cad"),
    "api_studio.asset_parts": row("designer", asset_id="draft_photo"),
    "api_studio.reuse_asset": row("designer", asset_id="draft_photo"),
    "api_studio.show_asset": row("designer", asset_id="draft_photo"),
    "api_studio.request_pictures": row("designer", {"look": "noir", "alloy": "18k_rose"}, asset_id="cad"),
    "api_studio.remove_asset": row("designer", asset_id="draft_photo"),
    "api_studio.patch_fact": _design({"confirmed": True}, name="=weight_18k_yellow"),
    "api_studio.request_content": _design({"kinds": ["story"]}, "draft"),
    "api_studio.photo_edits_of": _design(thing="draft", asset_id="draft_photo"),
    "api_studio.set_photo_edits": _design({"steps": [{"kind": "dust"}]}, "draft", asset_id="draft_photo"),
    "api_studio.move_photo_edits": _design({"action": "undo"}, "draft", not_now="no_further", asset_id="draft_photo"),
    "api_studio.propose_photo_edits": _design(thing="draft", asset_id="draft_photo"),
    "api_studio.publish_photo_edits": _design({"confirmed": True}, "draft", not_now="not_made", asset_id="draft_photo"),
    "api_studio.approve_story": _design(thing="draft"),
    "api_studio.approve_lookbook": _design(asset="photo"),
    "api_studio.list_design": _design(thing="draft"),
    "api_studio.unlist_design": _design(),
    "api_studio.show_job": row("designer", job_id="job"),
    # negotiations
    "negotiations.index": row(),
    "negotiations.mark_read": row(send={"all": "1"}),
    "negotiations.new": row(query=lambda w, s: f"?design={s.ids['design']}", answers=(200, 303)),
    "negotiations.create": row(send=_sheet),
    "negotiations.show": _negotiation(),
    "negotiations.news": _negotiation(answers=(200, 204)),
    "negotiations.read": _negotiation(),
    "negotiations.message": _negotiation({"text": "Good morning"}),
    "negotiations.counter_page": _negotiation(),
    "negotiations.counter": _negotiation(_sheet, not_now="buyer"),
    "negotiations.accept": _negotiation(_answer(), not_now="buyer"),
    "negotiations.decline": _negotiation(_answer(), not_now="buyer"),
    "negotiations.withdraw": _negotiation(_answer(), not_now="designer"),
    "negotiations.agree": _negotiation(_answer(term="fee"), not_now="buyer"),
    "negotiations.resolve": _negotiation(lambda w, s, p: {"message": s.ids["comment"]}),
    "negotiations.hand_over": _negotiation(lambda w, s, p: {"user": p.user.id}),
    "negotiations.version": _negotiation(version="=1"),
    "negotiations.listing": _negotiation(),
    "negotiations.away": _negotiation(query=lambda w, s: f"?to={LINK}"),
    "negotiations.announce_file": _negotiation(_file("attachment")),
    "negotiations.file_row": row("buyer", negotiation_id="open", asset_id="unsent_file"),
    "negotiations.fetch_file": row(_two, negotiation_id="open", asset_id="sent_file", answers=(303,)),
    "negotiations.reopen_page": row(_two, negotiation_id="ended"),
    "negotiations.reopen": row(_two, _sheet, negotiation_id="ended", not_now="designer buyer"),
    "api_negotiations.reopen": row(_two, _counter, negotiation_id="ended", not_now="designer buyer"),
    "api_negotiations.agree": _negotiation(_answer(term="fee"), not_now="buyer"),
    "api_negotiations.resolve": _negotiation(lambda w, s, p: {"message": s.ids["comment"]}),
    "api_negotiations.hand_over": _negotiation(lambda w, s, p: {"user": p.user.id}),
    "api_negotiations.read": _negotiation({}),
    "api_negotiations.announce_file": _negotiation(_file("attachment")),
    "api_negotiations.fetch_file": row(_two, negotiation_id="open", asset_id="sent_file"),
    "api_negotiations.open_negotiation": row(send=_terms, shared=True, design_id="design"),
    "api_inbox.list_negotiations": row(),
    "api_inbox.mark_read": row(send={}),
    "api_negotiations.show_negotiation": _negotiation(),
    "api_negotiations.make_offer": _negotiation(_counter, not_now="buyer"),
    "api_negotiations.accept": _negotiation(_answer(), not_now="buyer"),
    "api_negotiations.decline": _negotiation(_answer(), not_now="buyer"),
    "api_negotiations.withdraw": _negotiation(_answer(), not_now="designer"),
    "api_negotiations.list_messages": _negotiation(),
    "api_negotiations.send_message": _negotiation({"text": "Good morning"}),
    # term sheets, approvals, past deals
    "term_sheets.index": row(),
    "term_sheets.new": row(),
    "term_sheets.create": row(send=lambda w, s, p: {**_sheet(w, s, p), "name": "Another"}),
    "term_sheets.keep": row("designer", {"name": "Kept"}, negotiation_id="open"),
    "term_sheets.prices_page": row(),
    "term_sheets.set_prices": row(send={"currency": "USD", "price-sterling": "1.10"}),
    "term_sheets.edit": row("designer", sheet_id="sheet"),
    "term_sheets.save": row("designer", lambda w, s, p: {**_sheet(w, s, p), "name": "N"}, sheet_id="sheet"),
    "term_sheets.publish": row("designer", {"published": "true"}, sheet_id="sheet"),
    "term_sheets.delete": row("designer", sheet_id="sheet"),
    "term_sheets.restore": row("designer", sheet_id="sheet"),
    "term_sheets.for_design": _design(),
    "term_sheets.choose": _design({"sheet": ""}),
    "api_playbook.design_sheet": _design(),
    "api_playbook.choose_sheet": _design({"sheet": None}),
    "approvals.index": row(),
    "approvals.limits_page": row(),
    "approvals.set_limits": row(send={}),
    "approvals.approve": row("buyer", approval_id="approval"),
    "approvals.refuse": row("buyer", {"reason": "Too much."}, approval_id="approval"),
    "approvals.withdraw": row("buyer", not_now="buyer", approval_id="approval"),
    "deals.usual": row(),
    "api_playbook.list_sheets": row(),
    "api_playbook.keep_sheet": row(send={"name": "Another", "terms": TERMS}),
    "api_playbook.change_sheet": row("designer", {"name": "N", "terms": TERMS, "version": 1}, sheet_id="sheet"),
    "api_playbook.delete_sheet": row("designer", sheet_id="sheet"),
    "api_playbook.restore_sheet": row("designer", sheet_id="sheet"),
    "api_playbook.publish_sheet": row("designer", {"published": True}, sheet_id="sheet"),
    "api_playbook.show_prices": row(),
    "api_playbook.put_prices": row(send={"currency": "USD", "prices": {"sterling": 110}}),
    "api_playbook.show_brief": _negotiation(),
    "api_playbook.show_limits": row(),
    "api_playbook.put_limits": row(send={"limits": {}}),
    "api_playbook.list_approvals": row(),
    "api_playbook.ask": _negotiation({"action": "accept", "version": 1}),
    "api_playbook.approve": row("buyer", approval_id="approval"),
    "api_playbook.refuse": row("buyer", {"reason": "Too much."}, approval_id="approval"),
    "api_playbook.withdraw": row("buyer", not_now="buyer", approval_id="approval"),
    "api_playbook.past_deals": row(),
    # rights
    "rights.design_map": _design(),
    "rights.available": row(shared=True, design_id="design"),
    "rights.of_offer": _negotiation(),
    "rights.check_counter": _negotiation(_sheet),
    "rights.check_first": row(send=_sheet, shared=True, design_id="design"),
    "rights.hold": _negotiation({"version": "1", "days": "3"}, not_now="buyer"),
    "rights.release": _negotiation(),
    "first_refusals.ask": _negotiation({"version": "1"}, not_now="designer buyer"),
    "first_refusals.show": row(_two, ask_id="first_ask"),
    "first_refusals.take_up": row(_two, ask_id="first_ask", not_now="designer"),
    "first_refusals.let_go": row(_two, {"reason": "", "sell_off_months": "99"}, ask_id="first_ask", not_now="designer"),
    "first_refusals.withdraw": row(_two, ask_id="first_ask", not_now="buyer"),
    "api_first_refusals.ask": _negotiation({"version": 1}, not_now="designer buyer"),
    "api_first_refusals.list_asks": row(_two, license_id="license"),
    "api_first_refusals.show_ask": row(_two, ask_id="first_ask"),
    "api_first_refusals.take_up": row(_two, ask_id="first_ask", not_now="designer"),
    "api_first_refusals.let_go": row(_two, {"sell_off_months": 99}, ask_id="first_ask", not_now="designer"),
    "api_first_refusals.withdraw": row(_two, ask_id="first_ask", not_now="buyer"),
    "api_rights.design_rights": _design(),
    "api_rights.check": row(send=lambda w, s, p: {"terms": TERMS}, shared=True, design_id="design"),
    "api_rights.hold": _negotiation({"version": 1, "days": 3}, not_now="buyer"),
    "api_rights.release": _negotiation(),
    # licenses
    "licenses.index": row(),
    "licenses.show": row(_two, license_id="license"),
    "licenses.document": row(_two, license_id="license", answers=(303,)),
    "licenses.sign": row(_two, {**_typed, "agree": "true", "consent": "true"}, license_id="unsigned"),
    "addenda.amend_page": row(_two, license_id="license"),
    "addenda.amend": row(_two, {"where": "world", "term_months": "24"}, license_id="license"),
    "addenda.terminate": row(_two, {"reason": "x", "sell_off_months": "99"}, license_id="license"),
    "addenda.breach": row(_two, {"reason": ""}, license_id="license"),
    "addenda.cured": row(_two, license_id="license"),
    "addenda.attest": row("buyer", _typed, license_id="license"),
    "addenda.paper": row(_two, license_id="license", addendum_id="addendum"),
    "addenda.document": row(_two, license_id="license", addendum_id="addendum", answers=(303,)),
    "addenda.sign": row(
        _two, {**_typed, "agree": "true", "consent": "true"}, license_id="license", addendum_id="addendum"
    ),
    "addenda.close": row(_two, license_id="license", addendum_id="closed_addendum"),
    "verify.index": row(),
    "verify.check": row(send={"code": "00000"}),
    "verify.by_code": row(shared=True, code="=7K3M9Q2X8W4V6N1P5R0T", answers=(404,)),
    "api_contracts.signing_disclosure": row(),
    "api_contracts.verify": row(send={"code": "00000"}),
    "api_contracts.log": row(_two, license_id="license"),
    "api_contracts.list_addenda": row(_two, license_id="license"),
    "api_contracts.show_addendum": row(_two, license_id="license", addendum_id="addendum"),
    "api_contracts.addendum_document": row(_two, license_id="license", addendum_id="addendum"),
    "api_contracts.amend": row(_two, lambda w, s, p: {"terms": TERMS}, license_id="license", answers=(201,)),
    "api_contracts.terminate": row(_two, {"sell_off_months": 99}, license_id="license"),
    "api_contracts.breach": row(_two, {"reason": " "}, license_id="license"),
    "api_contracts.cured": row(_two, license_id="license"),
    "api_contracts.attest": row("buyer", {"typed_name": "x", "destroyed": True}, license_id="license"),
    "api_contracts.sign_addendum": row(_two, _typed, license_id="license", addendum_id="addendum"),
    "api_contracts.close_addendum": row(_two, license_id="license", addendum_id="closed_addendum"),
    "licenses.checkout": row("buyer", license_id="unsigned"),
    "api_licenses.list_licenses": row(),
    "api_licenses.show_license": row(_two, license_id="license"),
    "api_licenses.sign": row(_two, _typed, license_id="unsigned"),
    "api_licenses.document": row(_two, license_id="license", answers=(200, 303)),
    "api_licenses.checkout": row("buyer", license_id="unsigned"),
    # orders and requests
    "orders.index": row(),
    "orders.new": row("buyer", license_id="license"),
    "orders.create": row("buyer", {**_money, **_lines}, license_id="license"),
    "orders.show": _order("making"),
    "orders.tech_pack": _order("making"),
    "orders.cancel": _order("placed"),
    "orders.makers": _order("quoting"),
    "orders.request_quotes": _order("placed", lambda w, s, p: {"makers": [s.people["manufacturer"].org.id]}),
    "orders.award": _order("quoting", lambda w, s, p: {"quote": s.ids["quote"]}),
    "orders.checkout": _order("awarded"),
    "api_orders.place": row(
        "buyer",
        {"lines": [{"quantity": 2, "metal": "18k_yellow", "ring_size": "US 6"}], "ship_to": SHIP_TO},
        license_id="license",
    ),
    "api_orders.orders": row(),
    "api_orders.request_quotes": _order("placed", lambda w, s, p: {"manufacturers": [s.people["manufacturer"].org.id]}),
    "api_orders.order_rfqs": _order("quoting"),
    "api_orders.rfqs": row(),
    "api_orders.rfq": row("manufacturer production_manager", rfq_id="rfq"),
    "api_orders.quote": row("manufacturer", _quote, rfq_id="rfq"),
    "api_orders.award": _order("quoting", lambda w, s, p: {"quote": s.ids["quote"]}),
    "api_orders.checkout": _order("awarded"),
    "api_orders.cancel": _order("placed"),
    "rfqs.index": row(),
    "rfqs.show": row("manufacturer production_manager", rfq_id="rfq"),
    "rfqs.submit": row(
        "manufacturer", {"unit_price": "290", "lead_days": "20", "valid_until": "2031-01-15"}, rfq_id="rfq"
    ),
    # NDA and CAD
    "manufacturing.nda": _order("making"),
    "manufacturing.sign": _order("awarded", lambda w, s, p: {**_sign_nda(w, s, p), "agree": "true"}),
    "manufacturing.revoke": _order("making"),
    "manufacturing.issue": _order("making"),
    "manufacturing.cad_link": _order("making", lambda w, s, p: {"asset": s.ids["cad"]}),
    "manufacturing.copies": _order("making", answers=(200, 303)),
    "manufacturing.fetch": row(token="cad:", shared=True, answers=(303,), spends=True),
    "manufacturing.who_sees": _design(),
    "manufacturing.cad_log": _design(),
    "manufacturing.profile": row(),
    "manufacturing.save_profile": row(send={"about": "Casting since 1911."}),
    "api_manufacturing.nda": _order("making"),
    "api_manufacturing.sign": _order("awarded", _sign_nda),
    "api_manufacturing.revoke": _order("making"),
    "api_manufacturing.issue": _order("making"),
    "api_manufacturing.cad_link": _order("making", lambda w, s, p: {"asset": s.ids["cad"]}),
    "api_manufacturing.cad_links": _order("making"),
    "api_manufacturing.cad_copies": _order("making"),
    # production
    "production.bench": _order("making"),
    "production.record_stage": _order("making", {"stage": "wax"}),
    "production.add_evidence": _order("making", _file("evidence")),
    "production.complete_evidence": row("manufacturer", order_id="making", asset_id="evidence"),
    "production.evidence_row": row("manufacturer", order_id="making", asset_id="evidence"),
    "production.ship_page": _order("making"),
    "production.ship": _order("making", _parcel),
    "production.accept_delivery": _order("order"),
    "api_production.order": _order("making"),
    "api_production.evidence": _order("making", _file("evidence")),
    "api_production.stage": _order("making", {"stage": "wax"}),
    "api_production.ship": _order("making", _parcel),
    "api_production.accept_delivery": _order("order"),
    # royalties
    "royalties.index": row(),
    "royalties.of_license": row(_two, license_id="license"),
    "royalties.show": row(_two, statement_id="statement"),
    "royalties.document": row(_two, answers=(303,), statement_id="statement"),
    "royalties.lines_csv": row(_two, statement_id="statement"),
    "royalties.checkout": row("buyer", statement_id="statement"),
    "royalties.ask": row("designer", {"kind": "audit", "text": "Please show the books."}, statement_id="statement"),
    "royalties.reply": row(_two, {"do": "answer", "text": "See the list."}, not_now="designer", inquiry_id="inquiry"),
    "royalties.evidence": row(_two, answers=(303,), inquiry_id="inquiry", note_id="books"),
    "sales.page": row("buyer", statement_id="to_report"),
    "sales.save": row("buyer", {**_sale, "do": "submit"}, statement_id="to_report"),
    "sales.upload": row(
        "buyer", lambda w, s, p: {"file": (io.BytesIO(template().encode()), "sales.csv")}, statement_id="to_report"
    ),
    "sales.template_csv": row(),
    "sales.correct": row(
        "buyer",
        lambda w, s, p: {"line": s.ids["sold"], "quantity": "18", "gross": "9800", "reason": "Two came back."},
        statement_id="statement",
    ),
    "api_royalties.royalties": row(),
    "api_royalties.statements": row(_two, license_id="license"),
    "api_royalties.statement": row(_two, statement_id="statement"),
    "api_royalties.pdf": row(_two, statement_id="statement"),
    "api_royalties.csv": row(_two, statement_id="statement"),
    "api_royalties.report": row("buyer", {"nothing_sold": True, "lines": []}, license_id="license"),
    "api_royalties.checkout": row("buyer", statement_id="statement"),
    "api_royalties.audit": row("designer", {"text": "Please show the books."}, statement_id="statement"),
    # money
    "payouts.index": row(),
    "payouts.account": row(answers=(200, 303)),
    "payouts.onboard": row(),
    "payee_bank.edit": row(),
    "api_payee_bank.bank": row(),
    "api_payee_bank.put_bank": row(send={"holder": "A House", "number": "004-123-456789", "bic": "HSBCHKHHHKH"}),
    "payee_bank.save": row(send={"holder": "A House", "number": "004-123-456789", "bic": "HSBCHKHHHKH"}),
    "bank_files.index": row(shared=True),
    "bank_files.start": row(send={"currency": "USD"}),
    "bank_files.show": row(shared=True, file_id="bank_file"),
    "bank_files.answer": row(),
    "bank_files.report": row(shared=True, answer_id="bank_answer"),
    "bank_files.approve": row(shared=True, file_id="bank_file"),
    "bank_files.take": row(shared=True, file_id="bank_file"),
    "bank_files.cancel": row(shared=True, file_id="bank_file"),
    "bank_files.mark": row(shared=True, send={"outcome": "execute"}, file_id="bank_file"),
    "payments.stripe_webhook": row(),
    "payouts.replace": row(send={"password": PASSWORD}),
    "money.payment": row("buyer", payment_id="license"),
    "money.ask": row("buyer", _refund_form, payment_id="order"),
    "money.release": row("buyer", payment_id="order"),
    "money.refund": row(_two, refund_id="refund"),
    "money.decide": row(_two, {"action": "approve"}, refund_id="refund", not_now="buyer"),
    "money.dispute": row(_two, dispute_id="dispute"),
    "money_desk.index": row(shared=True),
    "money_desk.resolve": row(shared=True, alert_id="money_alert"),
    "money_desk.again": row(shared=True, alert_id="money_alert"),
    "money_desk.payment": row(shared=True, payment_id="checkout"),
    "money_desk.release": row(shared=True, transfer_id="share"),
    "money_desk.give_back": row(shared=True, send=_refund_form, payment_id="checkout"),
    "money_desk.refund": row(shared=True, refund_id="refund"),
    "money_desk.decide": row(shared=True, send={"action": "approve"}, refund_id="refund"),
    "money_desk.end_refund": row(
        shared=True, send={"action": "paid", "answer": "77"}, refund_id="refund", not_now="operator"
    ),
    "money_desk.dispute": row(shared=True, dispute_id="dispute"),
    "money_desk.file": row(shared=True, dispute_id="dispute", name="=customer_communication", answers=(303,)),
    "money_desk.assemble": row(shared=True, dispute_id="dispute"),
    "money_desk.submit": row(shared=True, dispute_id="dispute"),
    "money_desk.approve_account": row(shared=True, org_id="changed_org"),
    "money_desk.send_again": row(shared=True, transfer_id="share"),
    "money_desk.compare": row(),
    "api_money.payment": row("buyer", payment_id="license"),
    "api_money.ask": row(
        "buyer", {"amount": 100, "currency": "USD", "reason": "quality"}, payment_id="order", answers=(201,)
    ),
    "api_money.release": row("buyer", payment_id="order"),
    "api_money.refund": row(_two, refund_id="refund"),
    "api_money.decide": row(_two, {"action": "approve"}, refund_id="refund", not_now="buyer"),
    "api_money.dispute": row(_two, dispute_id="dispute"),
    "api_payments.payouts": row(),
    "api_payments.onboarding": row(),
    "api_payments.entries": row(),
    # invoices
    "invoices.index": row(),
    "invoices.export": row(),
    "invoices.show": row(_two, invoice_id="invoice"),
    "invoices.document": row(_two, invoice_id="invoice", answers=(303,)),
    "invoices.details": row(),
    "invoices.save_details": row(send={"legal_name": "A legal name"}),
    "api_invoices.list_invoices": row(),
    "api_invoices.show_invoice": row(_two, invoice_id="invoice"),
    "api_invoices.put_details": row(send={"legal_name": "A legal name", "tax_id": ""}),
}
