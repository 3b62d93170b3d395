"""Words and icons are part of the compiled template, the same as looked up while rendering."""

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale

from marketplace.app import create_app
from tests.kit.instance import Instance


@pytest.fixture(scope="module")
def app(instance: Instance) -> Flask:
    return create_app(instance.settings)


def _source(app: Flask, language: str, text: str) -> str:
    with app.test_request_context("/"), force_locale(language):
        app.jinja_env.get_template("public/about.html")  # makes the overlays
        made = app.jinja_env.languages[language].compile(text, "x.html", raw=True)  # type: ignore[attr-defined]
    return str(made)


def test_a_constant_word_is_looked_up_when_compiling(app: Flask) -> None:
    made = _source(app, "zh_Hans", '<p>{{ _("Catalog") }}</p>')
    assert "<p>图录</p>" in made
    assert "Catalog" not in made


def test_a_word_with_a_value_of_the_request_is_left_alone(app: Flask) -> None:
    assert "Saved: %(title)s" in _source(app, "zh_Hans", '{{ _("Saved: %(title)s. Remove", title=title) }}')


def test_a_constant_icon_is_drawn_when_compiling(app: Flask) -> None:
    made = _source(app, "en", '{% from "_parts/icons.html" import icon %}{{ icon("gem", size="lg") }}')
    assert "<svg" in made
    assert "icons" in made.split("<svg")[1]


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
def test_what_is_put_into_words_is_escaped_and_per_cent_signs_stay_single(app: Flask, language: str) -> None:
    with app.test_request_context("/"), force_locale(language):
        made = render_template_string('{{ _("100%% of %(name)s", name="<b>") }} {{ _("7 %%") }}')
    assert made == "100% of &lt;b&gt; 7 %"
