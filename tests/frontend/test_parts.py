"""The parts: what typed text becomes, how errors are tied to fields, what a state looks like."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template_string

FORMS = (
    '{% from "_parts/forms.html" import field, textarea, select, money_field, checkbox, checkbox_group,'
    " radio_cards, error_summary %}"
)
HOSTILE = "\"><script>alert('1')</script>"


def draw(parts: Flask, source: str, **values: Any) -> str:
    with parts.test_request_context("/"):
        return render_template_string(source, **values)


def form(data: dict[str, Any] | None = None, errors: dict[str, str] | None = None, message: str = "") -> Any:
    return SimpleNamespace(data=data or {}, errors=errors or {}, message=message)


def test_error_is_tied_to_its_field_and_listed_at_the_head(parts: Flask) -> None:
    refused = form({"title": "x"}, {"title": "Too short."})
    html = draw(
        parts, FORMS + '{{ error_summary(form, {"title": "Title"}) }}{{ field("title", "Title", form) }}', form=refused
    )
    assert 'href="#f-title"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="f-title-error"' in html
    assert 'id="f-title-error"' in html


def test_refusal_without_fields_is_still_said(parts: Flask) -> None:
    html = draw(parts, FORMS + "{{ error_summary(form) }}", form=form(message="The offer has expired."))
    assert "The offer has expired." in html
    assert 'role="alert"' in html


def test_form_without_errors_has_no_summary(parts: Flask) -> None:
    assert "error-summary" not in draw(parts, FORMS + "{{ error_summary(form) }}", form=form())


def test_what_was_typed_wins_over_what_is_stored(parts: Flask) -> None:
    html = draw(parts, FORMS + '{{ field("title", "Title", form, "stored") }}', form=form({"title": "typed"}))
    assert 'value="typed"' in html
    assert "stored" not in html


def test_emptied_field_stays_empty(parts: Flask) -> None:
    html = draw(parts, FORMS + '{{ field("title", "Title", form, "stored") }}', form=form({"title": ""}))
    assert 'value=""' in html


def test_password_is_never_sent_back(parts: Flask) -> None:
    html = draw(
        parts, FORMS + '{{ field("password", "Password", form, type="password") }}', form=form({"password": "hunter22"})
    )
    assert "hunter22" not in html


@pytest.mark.parametrize(
    "source",
    [
        '{{ field("t", t, form, hint=t, placeholder=t) }}',
        '{{ textarea("t", t, form) }}',
        '{{ select("t", t, [(t, t)], form) }}',
        '{{ money_field("t", t, form) }}',
        '{{ checkbox_group("t", t, [(t, t)], form) }}',
        '{{ radio_cards("t", t, [{"value": t, "title": t, "hint": t}], form) }}',
        "{{ error_summary(form, {'t': t}) }}",
        '{% from "_parts/cards.html" import design_card %}{{ design_card(t, t, src=t, alt=t, by=t, price_note=t) }}',
        '{% from "_parts/thread.html" import message %}{{ message(t, t, t, lang=t, original=t, original_lang=t) }}',
        '{% from "_parts/thread.html" import offer %}{{ offer(t, [{"label": t, "value": t}], t, t, note=t) }}',
        '{% from "_parts/upload.html" import upload_row %}{{ upload_row(t, t, t, "processing", t) }}',
        '{% from "_parts/status.html" import state %}{{ state(t) }}',
        '{% from "_parts/steps.html" import timeline %}{{ timeline([{"title": t, "state": t, "text": t, "by": t}]) }}',
        '{% from "_parts/buttons.html" import post_button %}{{ post_button(t, t, fields={"a": t}, confirm=t) }}',
    ],
)
def test_hostile_text_stays_text(parts: Flask, source: str) -> None:
    html = draw(parts, FORMS + source, t=HOSTILE, form=form({"t": HOSTILE}, {"t": HOSTILE}))
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_every_known_state_has_a_word_an_icon_and_a_tone(parts: Flask) -> None:
    html = draw(parts, '{% from "_parts/status.html" import state %}{{ state("awaiting_payment") }}')
    assert "Awaiting payment" in html
    assert "#credit-card" in html
    assert "badge warn" in html


def test_unknown_state_is_shown_in_plain_words(parts: Flask) -> None:
    html = draw(parts, '{% from "_parts/status.html" import state %}{{ state("sent_to_assay") }}')
    assert "Sent to assay" in html


def test_changed_term_shows_the_old_value_and_an_equal_one_does_not(parts: Flask) -> None:
    source = '{% from "_parts/thread.html" import offer %}{{ offer("v2", terms, "A", "now") }}'
    html = draw(
        parts, source, terms=[{"label": "Fee", "value": "9", "was": "12"}, {"label": "Units", "value": "5", "was": "5"}]
    )
    assert html.count("<del>") == 1
    assert "12</del>" in html


def test_row_of_a_finished_file_stops_asking(parts: Flask) -> None:
    source = '{% from "_parts/upload.html" import upload_row %}{{ upload_row("1", "a.stl", "", state, "/row/1") }}'
    assert 'hx-trigger="every 2s"' in draw(parts, source, state="processing")
    assert "hx-" not in draw(parts, source, state="ready")


def test_picture_close_to_its_frame_fills_it_and_a_wide_one_is_shown_whole(parts: Flask) -> None:
    source = '{% from "_parts/cards.html" import media %}{{ media("/p.webp", "", width=w, height=h) }}'
    assert "fill" in draw(parts, source, w=1000, h=1000)
    assert "fill" not in draw(parts, source, w=1500, h=1000)


def test_missing_picture_says_so(parts: Flask) -> None:
    assert "No picture yet" in draw(parts, '{% from "_parts/cards.html" import media %}{{ media(none) }}')
