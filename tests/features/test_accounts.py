"""Sign-up to approval, through pages, mail and API."""

from typing import Any

from tests.kit.people import PASSWORD, Make

FORM: dict[str, Any] = {
    "role": "buyer",
    "name": "Ada Buyer",
    "email": "ada@example.com",
    "password": "seven green lanterns",
    "business_name": "Ada & Co",
    "address": "1 High Street, London",
    "country": "GB",
    "adult": "true",
    "terms": "true",
}


def test_sign_up_confirm_and_sign_in(make: Make, run_jobs: Any, mails: Any) -> None:
    visitor = make.visitor()
    assert visitor.post("/join", FORM).status_code == 303
    run_jobs()
    [mail] = mails("ada@example.com")
    link = next(url for url in mail["links"] if "/confirm/" in url)
    path = link.partition("localhost:8000")[2]
    assert visitor.get(path).status_code == 200
    assert visitor.post(path).status_code == 303
    answer = visitor.post("/sign-in", {"email": "ADA@example.com", "password": FORM["password"]})
    assert answer.status_code == 303
    home = visitor.get("/home")
    assert home.status_code == 200
    assert "Ada" in home.get_data(as_text=True)


def test_wrong_password_keeps_the_address_and_says_the_same_as_an_unknown_account(make: Make) -> None:
    person = make.person("designer")
    visitor = make.visitor()
    known = visitor.post("/sign-in", {"email": person.user.email, "password": "wrong wrong wrong"})
    unknown = visitor.post("/sign-in", {"email": "nobody@example.com", "password": "wrong wrong wrong"})
    assert known.status_code == unknown.status_code == 422
    text = known.get_data(as_text=True)
    assert person.user.email in text


def test_cookie_copied_before_signing_out_is_worth_nothing(make: Make) -> None:
    person = make.person("designer")
    copied = person.browser.client.get_cookie("touchstone_session", domain="localhost")
    assert copied is not None
    person.browser.post("/sign-out")
    thief = make.visitor()
    thief.client.set_cookie("touchstone_session", copied.value, domain="localhost")
    assert thief.get("/home").status_code == 303


def test_token_and_me(make: Make, anonymous: Any) -> None:
    person = make.person("manufacturer")
    answer = anonymous.post("/tokens", {"email": person.user.email, "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.json["actor"]["role"] == "manufacturer"
    me = person.api.get("/me")
    assert me.status_code == 200
    assert me.json["organizations"][0]["id"] == person.org.id


def test_post_without_the_page_token_is_refused(make: Make) -> None:
    person = make.person("designer")
    answer = person.browser.client.post("/settings", data={"name": "Mallory", "locale": "en"})
    assert answer.status_code == 403
