"""Composition: settings and services in, a Flask application out."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from marketplace import features
from marketplace.accounts.sessions import authenticate
from marketplace.audit.operations import record_refusal
from marketplace.config import Settings
from marketplace.designs.operations import register_payout_check
from marketplace.licensing import rights_views
from marketplace.navigation import links, navigation
from marketplace.payments.queries import can_receive
from marketplace.services import Services
from marketplace.web import api_document, csrf, environment, errors, headers, health, i18n, logs, pictures, templating

ROOT = Path(__file__).parents[1]


def create_app(settings: Settings | None = None) -> Flask:
    """The application; raises config.Misconfigured when a setting is missing or unsafe."""
    settings = settings or Settings.from_env()
    app = Flask(
        "marketplace",
        static_folder=str(ROOT / "marketplace" / "static"),
        template_folder=str(ROOT / "templates"),
    )
    app.jinja_environment = environment.Environment
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="touchstone_toasts",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        MAX_FORM_PARTS=500,
        TRUSTED_HOSTS=[settings.base_url.partition("://")[2].partition(":")[0], "127.0.0.1", "localhost"]
        if not settings.production
        else [settings.base_url.partition("://")[2]],
        SEND_FILE_MAX_AGE_DEFAULT=365 * 24 * 3600,
        TRANSLATIONS=ROOT / "translations",
        TEMPLATES_AUTO_RELOAD=settings.environment == "development",
    )
    app.extensions.update(
        services=Services(settings),
        authenticate=authenticate,
        record_refusal=record_refusal,
        navigation=navigation,
        links=links,
        picture=pictures.picture,
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=1, x_host=1)  # type: ignore[method-assign]
    register_payout_check(can_receive)
    logs.install(app)
    headers.install(app, settings)
    csrf.install(app)
    i18n.install(app)
    templating.install(app, settings)
    errors.install(app)
    rights_views.install(app)
    app.register_blueprint(health.blueprint)
    for section in features.sections(development=settings.environment != "production"):
        app.register_blueprint(section.blueprint)
    app.register_blueprint(api_document.blueprint)
    features.assert_every_route_declares(app)
    return app
