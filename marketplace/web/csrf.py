"""Cross-site request forgery: a token bound to the session (or to a seed cookie before sign-in)."""

import hashlib
import hmac
import secrets

from flask import Flask, Response, g, request

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Forbidden
from marketplace.web.call import current_actor, services

SEED_COOKIE = "touchstone_seed"


def token() -> str:
    """The token for forms on the current page; gives an anonymous visitor a seed cookie."""
    binding = _binding(current_actor(), make=True)
    if (held := g.get("csrf_token")) is None or held[0] != binding:
        held = g.csrf_token = (binding, _token(binding))
    return str(held[1])


def check(actor: Actor) -> None:
    """Raise Forbidden `csrf` unless the request carries this visitor's own token and comes from this site."""
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    binding = _binding(actor, make=False)
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    if foreign or not binding or not hmac.compare_digest(_token(binding).encode(), given.encode("utf-8", "replace")):
        raise Forbidden("csrf", "This page was open too long or in another account. Please reload it and try again.")


def install(app: Flask) -> None:
    """Send the seed cookie when a page made one."""

    @app.after_request
    def set_seed(response: Response) -> Response:
        made = g.get("csrf_seed_made")
        if made:
            secure = services().settings.secure_cookies
            response.set_cookie(SEED_COOKIE, made, httponly=True, samesite="Lax", secure=secure, path="/")
        return response


def _binding(actor: Actor, *, make: bool) -> str:
    if actor.session_id:
        return f"session:{actor.session_id}"
    seed = request.cookies.get(SEED_COOKIE) or g.get("csrf_seed_made")
    if not seed and make:
        seed = g.csrf_seed_made = secrets.token_urlsafe(24)
    return f"seed:{seed}" if seed else ""


def _token(binding: str) -> str:
    key = hashlib.sha256(b"csrf:" + services().settings.secret_key.encode()).digest()
    return hmac.new(key, binding.encode(), hashlib.sha256).hexdigest()
