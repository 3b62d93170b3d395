"""The NDA: read in two languages, signed for one exact text, revoked, issued anew."""

import hashlib

from marketplace.accounts.models import Organization
from tests.features.orders.world import World


def _signing(world: World, sha256: str, **changes: object) -> dict[str, object]:
    return {"typed_name": world.maker.user.name, "agree": True, "sha256": sha256, **changes}


def test_the_text_names_its_governing_language_and_its_hash_is_of_the_exact_bytes(world: World) -> None:
    order = world.awarded()
    english = world.maker.api.get(f"/orders/{order.id}/nda?lang=en").json
    chinese = world.maker.api.get(f"/orders/{order.id}/nda?lang=zh_Hans").json
    for text in (english, chinese):
        assert text["sha256"] == hashlib.sha256(text["text"].encode()).hexdigest()
        assert text["governing_language"] == "en"
        assert world.cad.sha256 in text["text"]
        assert world.buyer.org.name not in text["text"]
    assert "governing language of this agreement is English" in english["text"]
    assert "管辖语言为英文" in chinese["text"]
    assert english["sha256"] != chinese["sha256"]
    assert world.maker.api.get(f"/orders/{order.id}/nda").json["sha256"] == english["sha256"]
    assert world.maker.api.get(f"/orders/{order.id}/nda?lang=fr").status_code == 422


def test_the_workshop_signs_the_chinese_text_on_the_page(world: World) -> None:
    order = world.awarded()
    page = world.maker.browser.get(f"/orders/{order.id}/nda?lang=zh_Hans").get_data(as_text=True)
    sha256 = world.maker.api.get(f"/orders/{order.id}/nda?lang=zh_Hans").json["sha256"]
    assert sha256 in page
    assert "保密协议" in page
    form = {"typed_name": "  LI wei ", "agree": "1", "sha256": sha256}
    answer = world.maker.browser.post(f"/orders/{order.id}/nda/sign", form)
    assert answer.status_code == 303
    signed = world.designer.api.get(f"/orders/{order.id}").json["nda"]
    assert (signed["version"], signed["signed"], signed["revoked"]) == (1, True, False)
    assert "signed version 1" in world.designer.browser.get(f"/orders/{order.id}/nda").get_data(as_text=True)


def test_a_hash_of_another_text_is_refused(world: World) -> None:
    order = world.awarded()
    sha256 = world.maker.api.get(f"/orders/{order.id}/nda").json["sha256"]
    world.change(Organization, world.designer.org.id, name="Another Studio")
    answer = world.maker.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256))
    assert (answer.status_code, answer.json["code"]) == (409, "nda_changed")


def test_a_name_that_is_not_ones_own_or_no_agreement_is_refused(world: World) -> None:
    order = world.awarded()
    sha256 = world.maker.api.get(f"/orders/{order.id}/nda").json["sha256"]
    wrong = world.maker.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256, typed_name="Zhang San"))
    assert (wrong.status_code, wrong.json["code"]) == (422, "name_mismatch")
    unread = world.maker.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256, agree=False))
    assert unread.status_code == 422
    assert world.maker.api.get(f"/orders/{order.id}/nda").json["signed"] is False


def test_nobody_but_the_awarded_workshop_signs_or_reads(world: World) -> None:
    order = world.awarded()
    sha256 = world.maker.api.get(f"/orders/{order.id}/nda").json["sha256"]
    other = world.make.person("manufacturer")
    for person, status in ((other, 404), (world.buyer, 403), (world.manager, 403), (world.designer, 403)):
        answer = person.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256))
        assert answer.status_code == status
    assert world.designer.api.get(f"/orders/{order.id}/nda").status_code == 200
    assert world.buyer.api.get(f"/orders/{order.id}/nda").status_code == 403


def test_it_is_signed_once_and_a_revoked_version_cannot_be_signed_again(world: World) -> None:
    order = world.awarded()
    world.sign(order)
    sha256 = world.maker.api.get(f"/orders/{order.id}/nda").json["sha256"]
    twice = world.maker.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256))
    assert (twice.status_code, twice.json["code"]) == (409, "already_signed")
    assert world.designer.api.post(f"/orders/{order.id}/nda/revoke").status_code == 200
    assert world.designer.api.post(f"/orders/{order.id}/nda/revoke").status_code == 409
    again = world.maker.api.post(f"/orders/{order.id}/nda/sign", _signing(world, sha256))
    assert (again.status_code, again.json["code"]) == (409, "nda_revoked")
    assert world.maker.api.post(f"/orders/{order.id}/nda/revoke").status_code == 403


def test_a_new_version_with_a_clause_must_be_signed_before_the_file_opens_again(world: World) -> None:
    order = world.paid()
    world.sign(order)
    assert world.copied_link(order).status_code == 201
    issued = world.designer.api.post(f"/orders/{order.id}/nda/issue", {"clause": "No photographs of the wax."})
    assert issued.json["version"] == 2
    assert "10. Further terms of the Designer\nNo photographs of the wax." in issued.json["text"]
    assert world.link(order).json["code"] == "nda_required"
    assert world.sign(order)["version"] == 2
    assert world.copied_link(order).status_code == 201
