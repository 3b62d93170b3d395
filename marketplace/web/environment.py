"""Templates compiled once for each language, with the words that never change already in place.

A page has a hundred words and fifty icons that are the same for every reader of a language. Looking them up in each
request took a third of a page's time; here they become part of the compiled template.
"""

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from types import CodeType
from typing import Any

from babel.support import NullTranslations, Translations
from flask import current_app
from flask.templating import Environment as FlaskEnvironment
from jinja2 import Template, nodes
from jinja2.nodes import EvalContext
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from marketplace.web.i18n import LANGUAGES, locale_code

_ICONS = "_parts/icons.html"


class Environment(FlaskEnvironment):
    """Flask's environment, one overlay of it for each language."""

    language: str | None = None
    languages: Mapping[str, "Environment"] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        """The template, compiled in the language of the present reader. Raises TemplateNotFound."""
        if self.language is None and isinstance(name, str):
            return self._in(locale_code()).get_template(name, parent, globals)
        return super().get_template(name, parent, globals)

    def compile(
        self, source: Any, name: str | None = None, filename: str | None = None, *args: Any, **more: Any
    ) -> Any:
        """Compile with the words and icons that are constant already looked up."""
        if self.language is not None and isinstance(source, str):
            tree = self.parse(source, name, filename)
            source = _Constants(self, EvalContext(self, name).autoescape).visit(tree)
        compiled: CodeType | str = super().compile(source, name, filename, *args, **more)
        return compiled

    def _in(self, language: str) -> "Environment":
        # Made late: what the application adds to the environment while it starts must be in every overlay.
        if not self.languages:
            self.languages = {code: self.overlay() for code in LANGUAGES}
            for code, made in self.languages.items():
                made.language = code
        return self.languages[language]


@lru_cache(maxsize=len(LANGUAGES))
def _catalog(folder: str, language: str) -> NullTranslations:
    return Translations.load(folder, [language])


class _Constants(NodeTransformer):
    """Puts the translation in place of `_("words")` and the drawing in place of `icon("name")`."""

    def __init__(self, environment: Environment, autoescape: bool) -> None:
        self.environment = environment
        self.autoescape = autoescape
        self.calls: dict[str, Callable[..., str]] = {"_": self._word, "gettext": self._word, "icon": self._icon}

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - named after the kind of node
        """One call; anything but a known name with nothing but constants stays as it is."""
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        values = [*node.args, *(pair.value for pair in node.kwargs)]
        make = self.calls.get(node.node.name)
        if make is None or not all(isinstance(value, nodes.Const) for value in values):
            return node
        text = make(*(a.as_const() for a in node.args), **{pair.key: pair.value.as_const() for pair in node.kwargs})
        found = nodes.Const(str(text)).set_lineno(node.lineno)
        return nodes.MarkSafe(found, lineno=node.lineno) if self.autoescape else found

    def _word(self, text: str, **values: object) -> str:
        # As Jinja's own gettext: a translation is markup of ours, what is put into it is not.
        found = _catalog(str(current_app.config["TRANSLATIONS"]), self.environment.language or "en").gettext(text)
        return (Markup(found) if self.autoescape else found) % values  # noqa: S704

    def _icon(self, *args: str, **named: str) -> str:
        return str(self.environment.get_template(_ICONS).module.icon(*args, **named))  # type: ignore[attr-defined]
