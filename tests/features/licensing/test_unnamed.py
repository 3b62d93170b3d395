"""Until both are named the designer learns nothing of who the buyer is: no page, answer, notice or mail says it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.features.licensing.conftest import Pair, sheet
from tests.kit.people import Make

Mails = Callable[..., list[dict[str, Any]]]
#: What a person of the studio can open; the thread's own pages come with its id.
PAGES = (
    *("/home", "/negotiations", "/negotiations?state=all&q=House", "/notifications", "/licenses", "/audit"),
    *(
        "/designs/{design}/rights",
        "/negotiations/{thread}",
        "/negotiations/{thread}/rights",
        "/negotiations/{thread}/counter",
    ),
    *("/negotiations/{thread}/listing", "/negotiations/{thread}/versions/1", "/negotiations/{thread}/versions/2"),
    "/term-sheets/prices",
)
ANSWERS = ("/negotiations", "/negotiations/{thread}", "/negotiations/{thread}/messages")


@pytest.fixture
def told(pair: Pair) -> tuple[str, ...]:
    """What would give the buyer away."""
    buyer = pair.buyer
    return (buyer.org.name, buyer.org.id, buyer.user.name, buyer.user.email, buyer.user.id, buyer.org.address)


def seen(pair: Pair, thread: str, mails: Mails) -> Iterator[tuple[str, str]]:
    """Everything the studio can read, by where."""
    for page in PAGES:
        path = page.format(design=pair.design_id, thread=thread)
        answer = pair.designer.browser.get(path)
        assert answer.status_code in {200, 204, 409}, (path, answer.status_code)
        yield path, answer.get_data(as_text=True) + str(answer.headers)
    for page in ANSWERS:
        path = page.format(thread=thread)
        answer = pair.designer.api.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        yield f"API {path}", answer.get_data(as_text=True)
    for mail in mails(pair.designer.user.email):
        yield f"mail {mail['headers'].get('Subject')}", str(mail)


def test_the_studio_reads_nothing_that_names_the_buyer(
    pair: Pair,
    make: Make,
    run_jobs: Callable[..., Any],
    mails: Mails,
    told: tuple[str, ...],
) -> None:
    buyer, designer = pair.buyer, pair.designer
    colleague = make.person("buyer", org=buyer.org, name="Ottoline Vance")
    thread = pair.open()["id"]
    base = f"/negotiations/{thread}"
    acts: list[Callable[[], Any]] = [
        lambda: buyer.api.post(f"{base}/messages", {"text": "Could the band be wider?"}),
        lambda: designer.api.post(f"{base}/messages", {"text": "Yes, a little."}),
        lambda: designer.api.post(f"{base}/offers", {"base_version": 1, "terms": sheet(term_months=12)}),
        lambda: buyer.api.post(f"{base}/agree", {"term": "fee", "version": 2}),
        lambda: buyer.api.post(f"{base}/hand-over", {"user": colleague.user.id}),
        lambda: colleague.api.post(
            f"{base}/messages", {"text": "I go on from here.", "about": {"term": "territories", "version": 2}}
        ),
        lambda: colleague.api.post(f"{base}/read", {}),
        lambda: colleague.api.post(f"{base}/offers", {"base_version": 2, "terms": sheet(term_months=18)}),
        lambda: colleague.api.post(f"{base}/withdraw", {"version": 3}),
    ]
    for act in acts:
        answer = act()
        assert answer.status_code in {200, 201, 204}, answer.text
        run_jobs()
    names = (*told, colleague.user.name, colleague.user.email, colleague.user.id)
    everything = dict(seen(pair, thread, mails))
    assert [(where, name) for where, words in everything.items() for name in names if name in words] == []
    assert "Could the band be wider?" in everything[f"/negotiations/{thread}"]
    assert any(where.startswith("mail") for where in everything)
