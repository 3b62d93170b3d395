"""Stories and lookbooks: drafted from facts, checked, edited, approved; every failure said in words."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.studio import calls, rules
from marketplace.studio.models import AiCall, ContentDraft
from tests.kit.files import band_stl, photo, send
from tests.kit.instance import Instance
from tests.kit.people import Make, Person
from tests.states.table import assert_table

SENTENCE = "A plain band of rectangular section, made to be worn every day."


@pytest.fixture
def fail_next(instance: Instance) -> Callable[..., None]:
    """Order the next model calls to fail."""

    def order(**how: Any) -> None:
        url = f"{instance.settings.gemini_base_url}/_sandbox/fail"
        requests.post(url, json={"next": 1, **how}, timeout=60).raise_for_status()

    order(next=0)
    return order


@pytest.fixture
def studio(make: Make, read_files: Any) -> tuple[Person, str]:
    """A designer and a measured design with a photo."""
    person = make.person("designer", name="Maya Rosen")
    body = {
        "title": "Ostara",
        "category": "ring",
        "description": SENTENCE,
        "metadata": {"metals": ["18k_yellow"], "stones": []},
    }
    design_id = str(person.api.post("/designs", body).json["id"])
    send(person, design_id, photo())
    send(person, design_id, band_stl())
    read_files()
    return person, design_id


def draft(person: Person, design_id: str, read_files: Any, *kinds: str) -> list[dict[str, Any]]:
    answer = person.api.post(f"/designs/{design_id}/content", {"kinds": list(kinds)})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    read_files()
    found = []
    for job in answer.json["jobs"]:
        body = person.api.get(f"/jobs/{job['id']}").json
        assert isinstance(body, dict)
        found.append(body)
    return found


def test_every_step_of_a_draft() -> None:
    expected = {
        ("draft", "approve", "owner"): "approved",
        ("draft", "supersede", "owner"): "superseded",
        ("draft", "supersede", "system"): "superseded",
        ("approved", "revise", "owner"): "draft",
        ("approved", "supersede", "owner"): "superseded",
        ("approved", "supersede", "system"): "superseded",
    }
    assert_table(rules.DRAFT, expected)


def test_a_story_is_drafted_from_the_facts_and_published_on_approval(
    studio: tuple[Person, str], read_files: Any, session: Session
) -> None:
    person, design_id = studio
    [job] = draft(person, design_id, read_files, "story")
    assert (job["state"], job["progress"]) == ("done", 100)
    story = person.api.get(f"/designs/{design_id}").json["story"]
    assert (story["status"], story["sandbox"], story["edited"]) == ("draft", True, False)
    assert story["text"]["headline"]
    assert story["sources"]
    assert not [f for f in story["findings"] if f["blocked"]], story["findings"]
    call = session.scalars(select(AiCall)).one()
    assert (call.task, call.state, call.sandbox) == ("story", "done", True)
    assert call.prompt_tokens > 0
    assert call.output_tokens > 0
    assert "weight_18k_yellow" in str(call.sent)
    assert call.reply is not None
    assert session.scalar(text("select story from designs")) is None
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert "written by AI (sandbox); nobody has approved it" in page
    approved = person.api.post(f"/designs/{design_id}/story/approve")
    assert approved.status_code == 200
    assert approved.json["approved_by"] == "Maya Rosen"
    published = session.scalar(text("select story from designs"))
    assert published["headline"] == story["text"]["headline"]
    assert published["approved_by_name"] == "Maya Rosen"
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert "Drafted with AI (sandbox), approved by Maya Rosen" in page
    checks = {c["code"]: c["done"] for c in person.api.get(f"/designs/{design_id}").json["checklist"]}
    assert checks["description"] is True


def test_a_claim_without_a_fact_blocks_approval_until_it_is_edited_away(
    studio: tuple[Person, str], read_files: Any, session: Session
) -> None:
    person, design_id = studio
    draft(person, design_id, read_files, "story")
    story = person.api.get(f"/designs/{design_id}").json["story"]
    url = f"/designs/{design_id}/words/{story['id']}"
    person.browser.get(url)
    form = {"title": "Ostara", "body": "It weighs 99.9 grams.\n\nWear it daily.", "version": story["version"]}
    assert person.browser.post(url, form).status_code == 303
    refused = person.api.post(f"/designs/{design_id}/story/approve")
    assert (refused.status_code, refused.json["code"]) == (409, "claims_blocked")
    assert "99.9" in str(refused.json["findings"])
    assert "99.9" in person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    stale = person.browser.post(url, {**form, "body": "Typed for an hour."})
    assert stale.status_code == 409
    assert "Typed for an hour." in stale.get_data(as_text=True)
    now = person.api.get(f"/designs/{design_id}").json["story"]["version"]
    assert person.browser.post(url, {**form, "body": "Wear it daily.", "version": now}).status_code == 303
    assert person.api.post(f"/designs/{design_id}/story/approve").status_code == 200
    row = session.scalars(select(ContentDraft)).one()
    assert (row.state, row.edited) == ("approved", True)


def test_editing_approved_words_leaves_the_published_ones_until_the_next_approval(
    studio: tuple[Person, str], read_files: Any, session: Session
) -> None:
    person, design_id = studio
    draft(person, design_id, read_files, "story")
    approved = person.api.post(f"/designs/{design_id}/story/approve").json
    url = f"/designs/{design_id}/words/{approved['id']}"
    form = {"title": "Another headline", "body": "Wear it daily.", "version": approved["version"]}
    assert person.browser.post(url, form).status_code == 303
    assert session.scalar(text("select story->>'headline' from designs")) == approved["text"]["headline"]
    assert person.api.post(f"/designs/{design_id}/story/approve").status_code == 200
    session.rollback()
    assert session.scalar(text("select story->>'headline' from designs")) == "Another headline"


def test_a_lookbook_shows_the_pictures_and_is_approved_page_by_page_or_whole(
    studio: tuple[Person, str], read_files: Any, session: Session
) -> None:
    person, design_id = studio
    draft(person, design_id, read_files, "lookbook")
    shown = person.api.get(f"/designs/{design_id}").json
    pages = shown["lookbook"]
    assert all(page["asset"] == page["picture"].partition(".")[0] for page in pages)
    pictures = {p["id"] for p in shown["pictures"]}
    assert pages
    assert {page["picture"] for page in pages} <= pictures
    assert person.api.post(f"/designs/{design_id}/lookbook/ast_nothing/approve").status_code == 404
    for asset in {page["picture"].partition(".")[0] for page in pages}:
        answer = person.api.post(f"/designs/{design_id}/lookbook/{asset}/approve")
        assert answer.status_code == 200, answer.get_data(as_text=True)
    assert session.scalar(text("select lookbook->>'approved_by_name' from designs")) == "Maya Rosen"
    draft(person, design_id, read_files, "lookbook")
    again = person.api.get(f"/designs/{design_id}").json["lookbook_draft"]
    assert again["status"] == "draft"
    whole = person.api.post(f"/designs/{design_id}/lookbook/{again['id']}/approve")
    assert whole.json["status"] == "approved"
    assert session.scalar(text("select count(*) from content_drafts where state = 'approved'")) == 1


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ({"kind": "blocked"}, "model_refused", "declined to write"),
        ({"kind": "garbage"}, "model_garbage", "something that is not a draft"),
        ({"kind": "truncated"}, "model_garbage", "something that is not a draft"),
        ({"status": 403}, "model_misconfigured", "not set up correctly"),
    ],
)
def test_a_failed_draft_is_said_in_words_and_can_be_asked_again(
    studio: tuple[Person, str], read_files: Any, fail_next: Any, session: Session, how: Any, code: str, words: str
) -> None:
    person, design_id = studio
    fail_next(**how)
    [job] = draft(person, design_id, read_files, "story")
    assert job["state"] == "failed"
    assert job["error"].startswith(code)
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert words in page
    assert "Try again" in page
    assert session.scalar(select(func.count()).select_from(ContentDraft)) == 0
    assert session.scalars(select(AiCall)).one().state == "failed"
    [again] = draft(person, design_id, read_files, "story")
    assert again["state"] == "done"


def test_a_busy_model_is_asked_again_later_without_a_second_draft(
    studio: tuple[Person, str], read_files: Any, fail_next: Any, session: Session
) -> None:
    person, design_id = studio
    fail_next(next=3, status=503)
    [job] = draft(person, design_id, read_files, "story")
    assert (job["state"], job["error"]) == ("queued", "model_busy")
    session.execute(
        text("update jobs set run_after = now() - interval '1 s', dispatched_at = null where state = 'queued'")
    )
    session.commit()
    read_files()
    assert person.api.get(f"/jobs/{job['id']}").json["state"] == "done"
    assert session.scalar(select(func.count()).select_from(ContentDraft)) == 1


def test_asking_twice_drafts_once(studio: tuple[Person, str], read_files: Any, session: Session) -> None:
    person, design_id = studio
    jobs = {person.api.post(f"/designs/{design_id}/content", {"kinds": ["story"]}).json["jobs"][0]["id"] for _ in "ab"}
    assert len(jobs) == 1
    read_files()
    assert session.scalar(select(func.count()).select_from(AiCall)) == 1


def test_the_day_has_a_budget(studio: tuple[Person, str], services: Any, session: Session) -> None:
    person, design_id = studio
    with unit_of_work(services.engine, system("test")) as work:
        call = calls.reserve(work, org_id=person.org.id, task="story")
        calls.settle(work, call.id, usage=calls.Usage("m", cost_micros=rules.MICROS_PER_DAY))
    refused = person.api.post(f"/designs/{design_id}/content", {"kinds": ["story"]})
    assert (refused.status_code, refused.json["code"]) == (409, "budget_exceeded")


def test_kinds_that_do_not_exist_yet_say_so(studio: tuple[Person, str]) -> None:
    person, design_id = studio
    refused = person.api.post(f"/designs/{design_id}/content", {"kinds": ["spec"]})
    assert (refused.status_code, refused.json["code"]) == (422, "kind_not_available")


def test_another_studio_cannot_read_edit_or_approve(
    studio: tuple[Person, str], make: Make, read_files: Any, session: Session
) -> None:
    person, design_id = studio
    draft(person, design_id, read_files, "story")
    story = person.api.get(f"/designs/{design_id}").json["story"]
    stranger = make.person("designer")
    job = session.scalar(text("select id from jobs where name = 'draft_story'"))
    assert stranger.api.get(f"/jobs/{job}").status_code == 404
    assert stranger.api.post(f"/designs/{design_id}/story/approve").status_code == 404
    assert stranger.browser.get(f"/designs/{design_id}/words/{story['id']}").status_code == 404
    form = {"title": "Mine", "body": "Mine.", "version": 1}
    assert stranger.browser.post(f"/designs/{design_id}/words/{story['id']}", form).status_code == 404
    assert session.scalars(select(ContentDraft.state)).all() == ["draft"]
