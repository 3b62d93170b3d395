"""Security headers on every answer, with a nonce-based content security policy."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from marketplace.config import Settings


def csp_nonce() -> str:
    """The nonce of the current response, for the few script tags the layout has."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def install(app: Flask, settings: Settings) -> None:
    """Set the headers after each request."""
    store = _origin(settings.s3_endpoint_url) or f"https://s3.{settings.s3_region}.amazonaws.com"

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
            f" form-action 'self' {store} {_checkout_origins(settings)};"
            f" script-src 'nonce-{csp_nonce()}' 'strict-dynamic'; style-src 'self'; font-src 'self';"
            f" manifest-src 'self'; img-src 'self' data: blob: {store}; media-src 'self' {store};"
            f" connect-src 'self' {store}; worker-src 'self' blob:"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer" if "cad" in request.path else "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        if settings.secure_cookies:
            response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        if request.endpoint != "static" and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if response.mimetype == "text/html":
            response.headers.add("Vary", "HX-Request, Cookie, Accept-Language")
        return response


def _checkout_origins(settings: Settings) -> str:
    """Where a form may end up after our own redirect: the payment pages."""
    return _origin(settings.stripe_api_base) or "https://checkout.stripe.com https://connect.stripe.com"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
