"""Settings from the environment, checked once at start. `.env.example` documents each."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

WEB_ROLE = "touchstone_web"
WORKER_ROLE = "touchstone_worker"

#: The daily file of reference rates of the European Central Bank.
ECB = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"


class Misconfigured(Exception):
    """A setting is missing or unsafe; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the product; the names are the environment variables in lower case."""

    environment: str
    brand_name: str
    base_url: str
    secret_key: str
    database_url: str
    database_web_url: str
    database_worker_url: str
    redis_url: str
    s3_endpoint_url: str
    s3_region: str
    s3_bucket: str
    s3_access_key_id: str
    s3_secret_access_key: str
    stripe_api_key: str
    stripe_api_base: str
    stripe_webhook_secret: str
    stripe_connect_webhook_secret: str
    gemini_api_key: str
    gemini_base_url: str
    gemini_text_model: str
    gemini_image_model: str
    seal_key_file: str
    seal_certificate_file: str
    seal_roots_file: str
    tsa_url: str
    smtp_url: str
    mail_from: str
    inbound_mail_domain: str
    inbound_mail_key: str
    log_level: str
    trusted_proxies: int
    rates_url: str
    platform_country: str
    bank_holder: str
    bank_account: str
    bank_bic: str

    @property
    def production(self) -> bool:
        """Whether the strict rules of a production system apply."""
        return self.environment == "production"

    @property
    def secure_cookies(self) -> bool:
        """Cookies carry Secure and the `__Host-` prefix whenever the site is served over https."""
        return self.base_url.startswith("https://")

    @property
    def sandbox_services(self) -> tuple[str, ...]:
        """Names of the outside services that a local stand-in answers for (shown on screen)."""
        local = {"Stripe": self.stripe_api_base, "Gemini": self.gemini_base_url, "TSA": self.tsa_url}
        return tuple(name for name, url in local.items() if url and _is_loopback(url))

    @property
    def rates_source(self) -> str:
        """Who is named as the source of exchange rates."""
        return "ECB" if self.rates_url == ECB else "sandbox" if _is_loopback(self.rates_url) else "own"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read and check the settings; raises Misconfigured."""
        e = os.environ if env is None else env
        environment = e.get("ENVIRONMENT", "development")
        secret = e.get("SECRET_KEY", "")
        if len(secret) < 32:
            raise Misconfigured("SECRET_KEY must be set to at least 32 random characters")
        owner = psycopg_url(_required(e, "DATABASE_URL"))
        settings = cls(
            environment=environment,
            brand_name=e.get("BRAND_NAME", "Touchstone"),
            base_url=e.get("BASE_URL", "http://localhost:8000").rstrip("/"),
            secret_key=secret,
            database_url=owner,
            database_web_url=psycopg_url(e.get("DATABASE_WEB_URL") or _as_role(owner, WEB_ROLE, secret)),
            database_worker_url=psycopg_url(e.get("DATABASE_WORKER_URL") or _as_role(owner, WORKER_ROLE, secret)),
            redis_url=_required(e, "REDIS_URL"),
            s3_endpoint_url=e.get("S3_ENDPOINT_URL", "").rstrip("/"),
            s3_region=e.get("S3_REGION", "us-east-1"),
            s3_bucket=e.get("S3_BUCKET", "touchstone"),
            s3_access_key_id=_required(e, "S3_ACCESS_KEY_ID"),
            s3_secret_access_key=_required(e, "S3_SECRET_ACCESS_KEY"),
            stripe_api_key=_required(e, "STRIPE_API_KEY"),
            stripe_api_base=e.get("STRIPE_API_BASE", "").rstrip("/"),
            stripe_webhook_secret=_required(e, "STRIPE_WEBHOOK_SECRET"),
            stripe_connect_webhook_secret=e.get("STRIPE_CONNECT_WEBHOOK_SECRET", ""),
            gemini_api_key=e.get("GEMINI_API_KEY", ""),
            gemini_base_url=e.get("GEMINI_BASE_URL", "").rstrip("/"),
            gemini_text_model=e.get("GEMINI_TEXT_MODEL", "gemini-3.8-flash"),
            gemini_image_model=e.get("GEMINI_IMAGE_MODEL", "gemini-nano-banana-2.1"),
            seal_key_file=e.get("SEAL_KEY_FILE", ""),
            seal_certificate_file=e.get("SEAL_CERTIFICATE_FILE", ""),
            seal_roots_file=e.get("SEAL_ROOTS_FILE", ""),
            tsa_url=e.get("TSA_URL", ""),
            smtp_url=_required(e, "SMTP_URL"),
            mail_from=e.get("MAIL_FROM", "Touchstone <no-reply@touchstone.example>"),
            inbound_mail_domain=e.get("INBOUND_MAIL_DOMAIN", "").strip().lower(),
            inbound_mail_key=e.get("INBOUND_MAIL_KEY", ""),
            log_level=e.get("LOG_LEVEL", "INFO"),
            trusted_proxies=int(e.get("TRUSTED_PROXIES", "0")),
            rates_url=e.get("RATES_URL", "") or ECB,
            platform_country=e.get("PLATFORM_COUNTRY", "GB").upper(),
            bank_holder=e.get("BANK_HOLDER", ""),
            bank_account=e.get("BANK_ACCOUNT", ""),
            bank_bic=e.get("BANK_BIC", ""),
        )
        if settings.production:
            _refuse_unsafe_production(settings)
        return settings


def role_password(secret_key: str, role: str) -> str:
    """The database password of a run-time role, derived so that nothing has to be stored."""
    return hmac.new(secret_key.encode(), f"database-role:{role}".encode(), hashlib.sha256).hexdigest()


def psycopg_url(url: str) -> str:
    """The same address with the SQLAlchemy driver named."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _as_role(owner_url: str, role: str, secret_key: str) -> str:
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{role_password(secret_key, role)}@{host}"))


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise Misconfigured(f"{name} is not set; .env.example says what it is for")
    return value


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _refuse_unsafe_production(settings: Settings) -> None:
    problems = []
    if not settings.base_url.startswith("https://"):
        problems.append("BASE_URL must be https")
    if "change-me" in settings.secret_key or len(set(settings.secret_key)) < 12:
        problems.append("SECRET_KEY is a default or too simple")
    for name, value in (
        ("STRIPE_API_BASE", settings.stripe_api_base),
        ("GEMINI_BASE_URL", settings.gemini_base_url),
        ("RATES_URL", settings.rates_url if _is_loopback(settings.rates_url) else ""),
    ):
        if value:
            problems.append(f"{name} points to a stand-in; leave it empty in production")
    if settings.s3_endpoint_url and not settings.s3_endpoint_url.startswith("https://"):
        problems.append("S3_ENDPOINT_URL must be https")
    if settings.stripe_api_key.startswith("sk_test_"):
        problems.append("STRIPE_API_KEY is a test key")
    if not settings.gemini_api_key:
        problems.append("GEMINI_API_KEY is not set")
    if settings.smtp_url.startswith("smtp://") and _is_loopback(settings.smtp_url):
        problems.append("SMTP_URL points to this machine; a production mail server is needed")
    problems += _seal_problems(settings)
    if settings.inbound_mail_domain and len(set(settings.inbound_mail_key)) < 12:
        problems.append("INBOUND_MAIL_KEY must be the provider's signing key when INBOUND_MAIL_DOMAIN is set")
    if problems:
        raise Misconfigured("refusing to start in production: " + "; ".join(problems))


def _seal_problems(settings: Settings) -> list[str]:
    problems = []
    for name, value in (
        ("SEAL_KEY_FILE", settings.seal_key_file),
        ("SEAL_CERTIFICATE_FILE", settings.seal_certificate_file),
        ("SEAL_ROOTS_FILE", settings.seal_roots_file),
    ):
        if not value or not Path(value).is_file():
            problems.append(f"{name} names no file; signed agreements are sealed with it")
    if not settings.tsa_url or _is_loopback(settings.tsa_url):
        problems.append("TSA_URL points to a stand-in or nowhere; a time-stamping authority is needed")
    if settings.seal_certificate_file and _is_sandbox_certificate(Path(settings.seal_certificate_file)):
        problems.append("SEAL_CERTIFICATE_FILE holds a sandbox certificate; it proves nothing")
    return problems


def _is_sandbox_certificate(file: Path) -> bool:
    """Whether a PEM file names the sandbox: its certificates carry the word in their names, in plain letters."""
    if not file.is_file():
        return False
    blocks = re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", file.read_text("ascii"), re.DOTALL)
    return any(b"SANDBOX" in base64.b64decode(block) for block in blocks)
