"""What every template can use."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, has_request_context, url_for

from marketplace.config import Settings
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import now
from marketplace.web import csrf
from marketplace.web.call import can, current_actor
from marketplace.web.headers import csp_nonce
from marketplace.web.i18n import LANGUAGES, Formats, html_lang, locale_code


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the main menu; `count` is of what is new there."""

    label: Any
    url: str
    active: bool
    count: int = 0


def asset(name: str) -> str:
    """The address of a built file by its source name (`app.css`)."""
    held: dict[str, str] = g.setdefault("asset_urls", {})  # every icon of a page asks for the same one
    if name not in held:
        held[name] = url_for("static", filename=f"built/{built_file(name) or name}")
    return held[name]


def built_file(name: str) -> str | None:
    """The hashed name of a built file, or None when the build has none of that name."""
    return _manifest(current_app.static_folder or "").get(name)


@lru_cache(maxsize=4)
def _manifest(static_folder: str) -> dict[str, str]:
    path = Path(static_folder) / "built" / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


class Current:
    """`current` in templates: who is looking."""

    @property
    def _actor(self) -> Actor:
        return current_actor()

    @property
    def signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return self._actor.signed_in

    @property
    def user_id(self) -> str | None:
        """The person's id."""
        return self._actor.user_id

    @property
    def user_name(self) -> str:
        """The person's name."""
        return self._actor.name

    @property
    def email(self) -> str:
        """The person's address."""
        return self._actor.email

    @property
    def org_name(self) -> str:
        """The organization the person acts for."""
        return self._actor.org_name

    @property
    def org_id(self) -> str | None:
        """Its id."""
        return self._actor.org_id

    @property
    def role(self) -> str | None:
        """The person's role in it."""
        return self._actor.role

    @property
    def approved(self) -> bool:
        """Whether it has been vetted."""
        return self._actor.approved

    @property
    def confirmed(self) -> bool:
        """Whether the person's address has been confirmed."""
        return self._actor.confirmed

    @property
    def organizations(self) -> list[dict[str, str]]:
        """All organizations of the person: id, name, role."""
        return g.get("organizations", [])


def install(app: Flask, settings: Settings) -> None:
    """Register globals; `navigation` and `account_links` in app.extensions make the menus."""
    fmt, current = Formats(), Current()
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.globals.update(
        asset=asset,
        csp_nonce=csp_nonce,
        csrf_token=csrf.token,
        can=can,
        fmt=fmt,
        current=current,
        now=now,
        languages=LANGUAGES,
        brand=settings.brand_name,
        picture=app.extensions["picture"],
    )

    @app.context_processor
    def page() -> dict[str, Any]:
        if not has_request_context():  # a mail
            return {}
        return {
            "base_url": settings.base_url,
            "development": settings.environment == "development",
            "locale": locale_code(),
            "html_lang": html_lang(),
            "nav": app.extensions["navigation"](),
            "unread_count": g.get("unread_count", 0),
            "sandbox_services": settings.sandbox_services,
            **app.extensions["links"](),
        }
