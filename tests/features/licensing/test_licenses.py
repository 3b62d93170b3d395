"""From the acceptance to an active license: document, signatures, payment, end."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select, update

from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict
from marketplace.licensing import operations, queries
from marketplace.licensing.contract import life
from marketplace.licensing.models import License, Negotiation, Signature
from marketplace.payments.models import Transfer
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.kit.people import Make

Jobs = Callable[..., dict[str, str]]


def text_of(pdf: bytes) -> str:
    """All words of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = []
        for page in document:
            words = page.get_textpage()
            pages.append(words.get_text_range())
            words.close()
            page.close()
        return "\n".join(pages)
    finally:
        document.close()


@pytest.fixture
def drawn(pair: Pair, run_jobs: Jobs) -> str:
    """The id of an agreement that waits for signatures."""
    license_id = str(pair.agree()["license"])
    run_jobs()
    return license_id


def sign(pair: Pair, license_id: str, who: str, **body: Any) -> Any:
    person = getattr(pair, who)
    return person.api.post(f"/licenses/{license_id}/sign", {"typed_name": person.user.name, "agree": True, **body})


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.get_json()["code"])


def test_the_agreement_is_drawn_up_from_the_terms_with_both_parties_and_the_files(pair: Pair, drawn: str) -> None:
    seen = pair.buyer.api.get(f"/licenses/{drawn}").get_json()
    assert seen["state"] == "to_sign"
    answer = pair.designer.api.get(f"/licenses/{drawn}/document")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert hashlib.sha256(answer.data).hexdigest() == seen["document_sha256"]
    words = text_of(answer.data)
    for expected in (
        pair.designer.org.name, pair.buyer.org.name, "Onda ring", "onda.stl", "ab" * 16, "$1,250.00", "7.5",
        "24 months", "Germany", "法国", seen["terms_hash"],
    ):  # fmt: skip
        assert expected in words, expected
    squeezed = answer.data.replace(b" ", b"")
    assert b"pdfaid:part>2<" in squeezed
    assert b"pdfaid:conformance>A<" in squeezed
    assert b"pdfuaid:part>1<" in squeezed


def test_making_the_document_twice_changes_nothing(pair: Pair, drawn: str, run_jobs: Jobs, services: Services) -> None:
    before = pair.buyer.api.get(f"/licenses/{drawn}").get_json()
    with unit_of_work(services.engine, system("test")) as session:
        session.execute(update(JobRow).where(JobRow.name == JobName.MAKE_LICENSE_DOCUMENT).values(state="queued"))
    assert "done" in run_jobs().values()
    assert pair.buyer.api.get(f"/licenses/{drawn}").get_json() == before


def test_both_sign_then_the_buyer_pays_then_the_webhook_activates(
    pair: Pair, drawn: str, run_jobs: Jobs, session: Any,
    sandbox_control: Callable[..., Any], deliver_events: Callable[..., list[int]],
) -> None:  # fmt: skip
    first = sign(pair, drawn, "designer").get_json()
    assert [s["side"] for s in first["signatures"]] == ["designer"]
    assert first["state"] == "to_sign"
    second = sign(pair, drawn, "buyer").get_json()
    assert second["state"] == "to_pay"
    run_jobs()
    page = pair.buyer.api.post(f"/licenses/{drawn}/checkout")
    assert page.status_code == 200, page.text
    url = page.get_json()["url"]
    assert pair.buyer.api.post(f"/licenses/{drawn}/checkout").get_json()["url"] == url
    checkout_session = next(part for part in url.replace("#", "/").split("/") if part.startswith("cs_"))
    sandbox_control("POST", f"/checkout/{checkout_session}/pay")
    assert pair.buyer.api.get(f"/licenses/{drawn}").get_json()["state"] == "to_pay"
    assert set(deliver_events()) == {200}
    run_jobs()
    active = pair.designer.api.get(f"/licenses/{drawn}").get_json()
    assert active["state"] == "active"
    assert active["active_until"] > active["active_from"]
    assert code(pair.buyer.api.post(f"/licenses/{drawn}/checkout"), 409) == "already_paid"
    share = session.scalars(select(Transfer)).one()
    assert (share.org_id, share.gross, share.kind) == (pair.designer.org.id, 125000, "license_fee")
    assert queries.active_license(session, drawn).id == drawn


def test_the_signed_document_shows_both_names_times_and_the_hash_that_was_signed(
    pair: Pair, drawn: str, run_jobs: Jobs
) -> None:
    sign(pair, drawn, "designer")
    sign(pair, drawn, "buyer")
    unsigned = pair.designer.api.get(f"/licenses/{drawn}").get_json()["document_sha256"]
    run_jobs()
    seen = pair.designer.api.get(f"/licenses/{drawn}").get_json()
    assert seen["document_sha256"] == unsigned
    assert seen["signed_document_sha256"] != unsigned
    words = text_of(pair.buyer.api.get(f"/licenses/{drawn}/document").data)
    for expected in ("Maya Rossi", "陈丽", "127.0.0.1", unsigned, "UTC"):
        assert expected in words, expected


def test_a_signature_is_ones_own_name_with_the_box_ticked(pair: Pair, drawn: str, session: Any) -> None:
    assert code(sign(pair, drawn, "designer", typed_name="Somebody Else"), 422) == "name_mismatch"
    assert code(sign(pair, drawn, "designer", agree=False), 422) == "invalid"
    assert code(sign(pair, drawn, "designer", document_sha256="0" * 64), 409) == "document_changed"
    assert session.scalars(select(Signature)).all() == []
    assert sign(pair, drawn, "designer", typed_name=" maya  ROSSI").status_code == 200
    assert code(sign(pair, drawn, "designer"), 409) == "already_signed"
    kept = session.scalars(select(Signature)).one()
    assert (kept.typed_name, kept.ip, kept.side) == ("maya ROSSI", "127.0.0.1", "designer")
    assert kept.user_id == pair.designer.user.id


def test_nobody_signs_before_the_document_is_there_or_pays_before_both_signed(pair: Pair, run_jobs: Jobs) -> None:
    license_id = pair.agree()["license"]
    assert code(sign(pair, license_id, "designer"), 409) == "illegal_transition"
    assert code(pair.buyer.api.get(f"/licenses/{license_id}/document"), 409) == "not_drafted"
    run_jobs()
    sign(pair, license_id, "designer")
    assert code(pair.buyer.api.post(f"/licenses/{license_id}/checkout"), 409) == "not_payable"


def test_only_the_buyer_pays_and_strangers_find_nothing(pair: Pair, drawn: str, make: Make) -> None:
    assert code(pair.designer.api.post(f"/licenses/{drawn}/checkout"), 403) == "forbidden"
    stranger = make.person("buyer")
    for path in (f"/licenses/{drawn}", f"/licenses/{drawn}/document"):
        assert code(stranger.api.get(path), 404) == "not_found"
    assert code(stranger.api.post(f"/licenses/{drawn}/sign", {"typed_name": "x", "agree": True}), 404) == "not_found"
    assert stranger.api.get("/licenses").get_json()["items"] == []
    assert [x["id"] for x in pair.designer.api.get("/licenses").get_json()["items"]] == [drawn]


def test_a_free_license_is_active_once_both_have_signed(pair: Pair, run_jobs: Jobs) -> None:
    license_id = pair.agree(fee={"amount": 0, "currency": "USD"})["license"]
    run_jobs()
    sign(pair, license_id, "designer")
    assert sign(pair, license_id, "buyer").get_json()["state"] == "active"
    run_jobs()


def test_activating_twice_changes_nothing_and_an_unpaid_one_cannot_be(
    pair: Pair, drawn: str, services: Services
) -> None:
    actor = system("test")
    with pytest.raises(Conflict), unit_of_work(services.engine, actor) as session:
        operations.activate(session, actor, drawn)
    sign(pair, drawn, "designer")
    sign(pair, drawn, "buyer")
    starts = []
    for _ in range(2):
        with unit_of_work(services.engine, actor) as session:
            operations.activate(session, actor, drawn)
        starts.append(pair.buyer.api.get(f"/licenses/{drawn}").get_json()["active_from"])
    assert starts[0] == starts[1]


def test_a_license_ends_with_its_term_and_lets_go_of_the_rights(pair: Pair, run_jobs: Jobs, services: Services) -> None:
    actor = system("test")
    license_id = pair.agree(kind="exclusive", fee={"amount": 0, "currency": "USD"})["license"]
    run_jobs()
    sign(pair, license_id, "designer")
    sign(pair, license_id, "buyer")
    with unit_of_work(services.engine, actor) as session:
        session.execute(
            update(License).values(
                active_from=clock.now() - timedelta(days=2), active_until=clock.now() - timedelta(days=1)
            )
        )
        with pytest.raises(Conflict, match="not active"):
            queries.active_license(session, license_id)
    with unit_of_work(services.engine, actor) as session:
        assert life.expire_due(session, actor) == 1
    assert pair.buyer.api.get(f"/licenses/{license_id}").get_json()["state"] == "expired"
    assert pair.agree(kind="exclusive")["state"] == "accepted"


def test_an_agreement_that_nobody_signed_lapses_after_thirty_days(pair: Pair, drawn: str, services: Services) -> None:
    actor = system("test")
    with unit_of_work(services.engine, actor) as session:
        session.execute(update(License).values(created_at=clock.now() - timedelta(days=31)))
    with unit_of_work(services.engine, actor) as session:
        assert life.expire_due(session, actor) == 1
    assert code(sign(pair, drawn, "designer"), 409) == "illegal_transition"
    assert pair.open()["state"] == "open"


def test_a_license_under_which_orders_may_begin_has_begun(pair: Pair, run_jobs: Jobs, services: Services) -> None:
    start = (clock.now() + timedelta(days=40)).date().isoformat()
    license_id = pair.agree(fee={"amount": 0, "currency": "USD"}, start=start)["license"]
    run_jobs()
    sign(pair, license_id, "designer")
    sign(pair, license_id, "buyer")
    with unit_of_work(services.engine, system("test")) as session:
        with pytest.raises(Conflict, match="not active"):
            queries.active_license(session, license_id)
        assert session.get_one(License, license_id).state == "active"


def test_the_pages_lead_through_signing_and_paying(pair: Pair, drawn: str, run_jobs: Jobs, session: Any) -> None:
    page = pair.designer.browser.get(f"/licenses/{drawn}").get_data(as_text=True)
    assert "It is your turn" in page
    assert pair.buyer.org.name in page, "the agreement names both"
    held = session.get(License, drawn)
    form = {"typed_name": "wrong", "agree": "1", "consent": "1", "document_sha256": held.document_sha256}
    refused = pair.designer.browser.post(f"/licenses/{drawn}/sign", form)
    assert refused.status_code == 422
    assert 'value="wrong"' in refused.get_data(as_text=True)
    done = pair.designer.browser.post(f"/licenses/{drawn}/sign", {**form, "typed_name": "Maya Rossi"})
    assert done.status_code == 303
    document = pair.designer.browser.get(f"/licenses/{drawn}/document")
    assert document.status_code == 303
    assert "X-Amz-Expires=60" in document.headers["Location"]
    sign(pair, drawn, "buyer")
    paying = pair.buyer.browser.get(f"/licenses/{drawn}", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert f'action="/licenses/{drawn}/checkout"' in paying
    away = pair.buyer.browser.post(f"/licenses/{drawn}/checkout")
    assert away.status_code == 303
    assert "cs_" in away.headers["Location"]
    assert session.get(Negotiation, held.negotiation_id).state == "accepted"
