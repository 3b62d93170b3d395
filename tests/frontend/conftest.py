"""The built front end, and the parts rendered without the rest of the application."""

import json
from types import SimpleNamespace

import pytest
from flask import Flask

from frontend.build import BUILT, ROOT, build


@pytest.fixture(scope="session")
def manifest() -> dict[str, str]:
    """Asset name -> hashed name, after bringing the build up to date."""
    build()
    found: dict[str, str] = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def parts() -> Flask:
    """A bare Flask that knows only what the parts are promised."""
    bare = Flask("parts", template_folder=str(ROOT / "templates"))
    bare.jinja_env.trim_blocks = bare.jinja_env.lstrip_blocks = True
    bare.jinja_env.add_extension("jinja2.ext.i18n")
    bare.jinja_env.add_extension("jinja2.ext.do")
    bare.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    bare.jinja_env.globals.update(
        asset=lambda name: f"/built/{name}",
        csp_nonce=lambda: "nonce",
        csrf_token=lambda: "token",
        fmt=SimpleNamespace(money=lambda amount: f"EUR {amount}"),
        picture=lambda name: None,
    )
    return bare
