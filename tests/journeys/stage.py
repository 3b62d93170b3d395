"""A finished trade and what a finished one no longer shows, made over HTTP: people to sign in as, pages to open."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

from demo import acts
from demo.play import PASSWORD, SHIP_TO, TERMS, Player
from demo.transport import PATIENCE_S, Browser, HttpVisitor, OverHttp, own_path
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.licensing.playbook.models import TermSheet
from tests.journeys.live import OPERATOR, Live
from tests.journeys.window import DESK, Who
from tests.kit.files import band_stl, photo
from tests.kit.people import PASSWORD as OPERATORS
from tests.kit.royalties import leave_statements
from tests.kit.trade import BRIEF, LINK
from tests.kit.waiting import asked_first, leave_bank_file, playbook
from tests.pipeline import reexport

_NAMES = {
    "designer": "Iris Valmont",
    "buyer": "Edith Marsh",
    "manufacturer": "Chen Wei",
    "production_manager": "Jonas Lind",
}


@dataclass
class Stage:
    """The people by role, and ids by what they are of."""

    live: Live
    player: Player
    ids: dict[str, str] = field(default_factory=dict)
    #: Pages behind links that were mailed, by what they are for.
    mailed: dict[str, str] = field(default_factory=dict)

    def who(self, role: str, language: str = "en") -> Who:
        """Somebody to open a window for."""
        if role == "operator":
            return Who(role, "Olive Kerr", OPERATOR, "", "GB", language, DESK, OPERATORS)
        email = f"{role}.{self.player.run_id}@demo.example"
        return Who(role, _NAMES[role], email, "", "GB", language, DESK, PASSWORD)

    def draft(self, title: str) -> str:
        """A design that holds nothing yet."""
        body = {"title": title, "category": "ring", "description": "Not finished.", "metadata": {}}
        return str(self.player.people["designer"].post("/designs", body, expect=201)["id"])

    def offer(self, **terms: Any) -> str:
        """An offer by the buyer for the listed design; the thread's id."""
        until = (datetime.now(UTC) + timedelta(days=10)).replace(microsecond=0).isoformat()
        body = {"terms": {**TERMS, "valid_until": until, **terms}, "message": "Another license, please."}
        path = f"/designs/{self.player.made['design']}/negotiations"
        return str(self.player.people["buyer"].post(path, body, expect=201)["id"])

    def declined(self) -> str:
        """An offer that the designer declined; the thread's id."""
        thread = self.offer()
        self.player.people["designer"].post(f"/negotiations/{thread}/decline", {"version": 1, "code": "timing"})
        return thread

    def counter(self, thread: str, role: str, version: int, fee: int) -> None:
        """Another version by one side; `fee` in US cents."""
        caller = self.player.people[role]
        terms = caller.get(f"/negotiations/{thread}")["versions"][-1]["terms"]
        body = {"base_version": version, "terms": {**terms, "fee": {"amount": fee, "currency": "USD"}}}
        caller.post(f"/negotiations/{thread}/offers", body, expect=201)

    def license(self, *, signed: bool) -> str:
        """A license whose terms are agreed, and which both have signed when asked for."""
        people = self.player.people
        thread = self.offer()
        people["designer"].post(f"/negotiations/{thread}/accept", {"version": 1})
        found = next(i["id"] for i in people["buyer"].get("/licenses")["items"] if i["negotiation"] == thread)
        people["buyer"].until(f"/licenses/{found}", lambda seen: seen["state"] != "drafting", "the document")
        if signed:
            for role in ("designer", "buyer"):
                acts.sign_license(people[role], found)
        return str(found)

    def order(self, *, quoted: bool = False, awarded: bool = False, paid: bool = False) -> str:
        """An order of ten pieces under the active license, as far along as asked for."""
        people = self.player.people
        body = {
            "lines": [{"quantity": 10, "metal": "18k_yellow", "ring_size": "US 6.5"}],
            "ship_to": SHIP_TO,
            "production_manager": people["production_manager"].get("/me")["organization"],
        }
        order = str(people["buyer"].post(f"/licenses/{self.player.made['license']}/orders", body, expect=201)["id"])
        if quoted or awarded or paid:
            self._quote(order)
        if awarded or paid:
            quote = people["production_manager"].get(f"/orders/{order}/rfqs")["items"][0]["quote"]["id"]
            people["production_manager"].post(f"/orders/{order}/award", {"quote": quote})
        if paid:
            self.player.sandbox.pay(people["buyer"].post(f"/orders/{order}/checkout")["url"])
            people["buyer"].until(f"/orders/{order}", lambda o: o["state"] == "paid", "the order being paid")
        return order

    def amendment(self) -> str:
        """An amendment of the finished trade's license that waits for its first signature."""
        designer, path = self.player.people["designer"], f"/licenses/{self.ids['license']}"
        terms = {**designer.get(path)["terms"], "sell_off_months": 9}
        made = str(designer.post(f"{path}/amendments", {"terms": terms, "reason": "More time."}, expect=201)["id"])
        designer.until(f"{path}/addenda/{made}", lambda seen: seen["state"] == "to_sign", "the amendment")
        return made

    def _quote(self, order: str) -> None:
        manager, maker = self.player.people["production_manager"], self.player.people["manufacturer"]
        manager.post(f"/orders/{order}/rfqs", {"manufacturers": [maker.get("/me")["organization"]]}, expect=201)
        self.ids["rfq"] = next(i["id"] for i in maker.get("/rfqs")["items"] if i["order"] == order)
        quote = {
            "unit_price": {"amount": 30_000, "currency": "USD"},
            "lead_days": 20,
            "valid_until": (datetime.now(UTC) + timedelta(days=14)).date().isoformat(),
        }
        maker.post(f"/rfqs/{self.ids['rfq']}/quotes", quote, expect=201)


def set_stage(live: Live, scratch: Path) -> Stage:
    """Play the whole job over HTTP, then leave one of everything half done."""
    picture, model = scratch / "solitaire.jpg", scratch / "solitaire.stl"
    picture.write_bytes(photo((176, 148, 84)).data)
    model.write_bytes(band_stl(thickness_mm=1.8).data)
    transport, sandbox = OverHttp(live.base_url), acts.Sandbox(live.stripe_url, live.mail_url)
    live.forget_limits()
    player = Player(transport, sandbox, (OPERATOR, OPERATORS), [picture], model, say=lambda line: None)
    player.play()
    stage = Stage(live, player, dict(player.made))
    stage.ids |= {
        "draft": stage.draft("A draft"),
        "to_sign": stage.license(signed=False),
        "to_pay": stage.license(signed=True),
        "addendum": stage.amendment(),
        "declined": stage.declined(),
        "open": stage.offer(derivatives="adapt", brief=BRIEF),  # last: a buyer negotiates over a design once at a time
        "placed": stage.order(),
        "quoting": stage.order(quoted=True),
        "awarded": stage.order(awarded=True),
        "making": stage.order(paid=True),
    }
    thread = f"/negotiations/{stage.ids['open']}/messages"
    player.people["buyer"].post(thread, {"text": f"Compare {LINK}, please."}, expect=201)
    making = stage.ids["making"]
    _money_back(stage)
    acts.sign_nda(player.people["manufacturer"], making)
    stage.ids["trace"] = _traced(stage, _leak(stage, scratch))
    acts.make_stages(player.people["manufacturer"], making, picture, upto=2)
    stage.ids["story"] = _draft_of(live, stage.ids["design"], "story")
    stage.ids["lookbook"] = _draft_of(live, stage.ids["design"], "lookbook")
    stage.ids["photo"] = _edited_photo(stage)
    paid = "select id from checkouts where subject_id = :license and state = 'paid' limit 1"
    stage.ids["checkout"] = live.text(paid, license=stage.ids["license"])
    stage.ids |= leave_statements(live.background, stage.ids["license"]) | _waiting(stage)
    _mail(stage)
    return stage


def _waiting(stage: Stage) -> dict[str, str]:
    """Ids of what waits at desks: bank_file, bank_answer, sheet, first_ask."""
    org = {role: caller.get("/me")["organization"] for role, caller in stage.player.people.items()}
    with unit_of_work(stage.live.background.engine, system("test")) as session:
        kept = playbook(org["designer"], org["buyer"], stage.ids["design"])
        asked = asked_first(stage.ids["license"], stage.ids["open"], org["designer"], org["buyer"], stage.ids["design"])
        session.add_all([*kept, asked])
        session.flush()
        sheet = next(row.id for row in kept if isinstance(row, TermSheet))
        files = leave_bank_file(session, org["manufacturer"], "usr_somebody")
        return {**files, "sheet": sheet, "first_ask": asked.id}


def _money_back(stage: Stage) -> None:
    """A refund that is asked for, and a payment that the buyer's bank questions."""
    buyer, license_id, order = stage.player.people["buyer"], stage.ids["license"], stage.ids["making"]
    body = {"amount": 25_000, "currency": "USD", "reason": "not_as_agreed", "note": "Two of six rings are missing."}
    stage.ids["refund"] = buyer.post(f"/payments/{license_id}/refunds", body, expect=201)["id"]
    found = requests.get(f"{stage.live.stripe_url}/_sandbox/events?type=checkout.session.completed", timeout=60).json()
    intent = next(
        event["data"]["object"]["payment_intent"]
        for event in found["events"]
        if event["data"]["object"]["metadata"].get("subject") == order
    )
    wish = {"payment_intent": intent, "reason": "product_not_received"}
    requests.post(f"{stage.live.stripe_url}/_sandbox/disputes", json=wish, timeout=60).raise_for_status()
    seen = buyer.until(f"/payments/{order}", lambda payment: payment["disputes"], "the dispute")
    stage.ids["dispute"] = seen["disputes"][0]["id"]


def _edited_photo(stage: Stage) -> str:
    """A photo of the listed design with an edit that waits to be looked at."""
    design = stage.ids["design"]
    query = "select id from assets where design_id = :design and kind = 'photo' limit 1"
    found = stage.live.text(query, design=design)
    steps = [{"kind": "white_balance", "warmth": 50}, {"kind": "background"}]
    edits, designer = f"/designs/{design}/photos/{found}/edits", stage.player.people["designer"]
    designer.put(edits, {"steps": steps}, expect=202)
    designer.until(edits, lambda edit: edit["state"] == "ready", "the edited photo")
    return found


def _leak(stage: Stage, scratch: Path) -> Path:
    """A copy that the workshop fetched, shuffled and saved in another format."""
    link = acts.cad_link(stage.player.people["manufacturer"], stage.ids["making"], stage.ids["cad"])
    target = stage.player.transport.visitor().send("GET", own_path(link), None).headers["Location"]
    copy = scratch / "copy.stl"
    copy.write_bytes(requests.get(target, timeout=60).content)
    return reexport.write_text_obj(reexport.shuffled(reexport.mesh_of(copy, "STL"), 4), scratch / "ring-found.obj")


def _traced(stage: Stage, suspect: Path) -> str:
    """The trace of a suspect that the operator handed in, once it is done."""
    visitor = HttpVisitor(stage.live.base_url)
    Browser(visitor).submit("/sign-in", "/sign-in", {"email": OPERATOR, "password": OPERATORS})
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.send("GET", "/desk/trace", None).text)
    assert token
    answer = visitor.http.post(
        stage.live.base_url + "/desk/trace",
        data={"csrf_token": token[1]},
        files={"file": (suspect.name, suspect.read_bytes())},
        allow_redirects=False,
        timeout=60,
    )
    found = answer.headers["Location"].rpartition("/")[2]
    query = "select coalesce((select id from cad_traces where id = :id and state = 'done'), '')"
    return _until(lambda: stage.live.text(query, id=found), "the trace")


def _draft_of(live: Live, design: str, kind: str) -> str:
    query = "select id from content_drafts where design_id = :design and kind = :kind order by created_at desc limit 1"
    return live.text(query, design=design, kind=kind)


def _mail(stage: Stage) -> None:
    """Somebody who has not confirmed yet and waits for the operator, a reset, an invitation: each a link in a mail."""
    transport, run = stage.player.transport, stage.player.run_id
    form = {
        "role": "manufacturer",
        "name": "Rosa Bianchi",
        "email": f"rosa.{run}@demo.example",
        "password": PASSWORD,
        "business_name": f"Officina Bianchi {run}",
        "address": "Via dei Mille 4, Valenza",
        "country": "IT",
        "adult": "true",
        "terms": "true",
    }
    Browser(transport.visitor()).submit("/join", "/join", form)
    email = stage.who("designer").email
    Browser(transport.visitor()).submit("/reset", "/reset", {"email": email})
    inside = Browser(transport.visitor())
    inside.submit("/sign-in", "/sign-in", {"email": email, "password": PASSWORD})
    colleague = {"email": f"colleague.{run}@demo.example", "role": "designer"}
    inside.submit("/settings", "/settings/invitations", colleague)
    wanted = (
        ("/confirm/", form["email"]),
        ("/reset/new", email),
        ("/mail/unsubscribe", email),
        ("/invitation", colleague["email"]),
    )
    for part, address in wanted:
        stage.mailed[part] = _until(partial(_link, stage.live, part, address), f"the mail with {part}")
    org = "select o.id from organizations o where o.name = :name"
    stage.ids["waiting_org"] = stage.live.text(org, name=form["business_name"])


def _link(live: Live, part: str, address: str) -> str:
    links = [link for mail in live.mails(address) for link in mail["links"] if part in link]
    return own_path(links[0]) if links else ""


def _until(found: Callable[[], str], what: str) -> str:
    end = time.monotonic() + PATIENCE_S
    while not (answer := found()):
        assert time.monotonic() < end, f"{what} did not come within {PATIENCE_S:.0f} s"
        time.sleep(0.25)
    return answer
