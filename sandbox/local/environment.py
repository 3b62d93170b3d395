"""Where one local instance keeps its files, and the settings its processes get."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.local import dotenv
from sandbox.local.terminal import Trouble

CHECKOUT = Path(__file__).resolve().parents[2]
WEBHOOK_PATH = "/webhooks/stripe"
DEFAULT_PORT = 8000

# Every setting of the product; `.env.example` documents each.
SETTINGS = (
    *("ENVIRONMENT", "BRAND_NAME", "BASE_URL", "SECRET_KEY", "LOG_LEVEL", "TRUSTED_PROXIES", "PLATFORM_FEE_BPS"),
    *("PLATFORM_COUNTRY", "BANK_HOLDER", "BANK_ACCOUNT", "BANK_BIC"),
    *("DATABASE_URL", "DATABASE_WEB_URL", "DATABASE_WORKER_URL", "REDIS_URL"),
    *("S3_ENDPOINT_URL", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
    *("STRIPE_API_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRET", "STRIPE_CONNECT_WEBHOOK_SECRET"),
    *("GEMINI_API_KEY", "GEMINI_BASE_URL", "GEMINI_TEXT_MODEL", "GEMINI_IMAGE_MODEL"),
    *("SEAL_KEY_FILE", "SEAL_CERTIFICATE_FILE", "SEAL_ROOTS_FILE", "TSA_URL"),
    *("RATES_URL", "SMTP_URL", "MAIL_FROM", "PORT", "LOCAL_DIR"),
    *("INBOUND_MAIL_DOMAIN", "INBOUND_MAIL_KEY"),
)


@dataclass(frozen=True, slots=True)
class Instance:
    """The files of the instance in `directory`; `given` is what the person set: `.env`, then the environment."""

    directory: Path
    port: int
    given: Mapping[str, str]

    @property
    def base_url(self) -> str:
        """The address people open."""
        return (self.given.get("BASE_URL") or f"http://localhost:{self.port}").rstrip("/")

    @property
    def lock(self) -> Path:
        """Locked while the instance runs."""
        return self.directory / "run.lock"

    @property
    def record(self) -> Path:
        """The environment of the instance as last started, for the command line (mode 0600)."""
        return self.directory / "instance.json"

    @property
    def demo(self) -> Path:
        """Addresses and logins for programs that play with the instance."""
        return self.directory / "demo.json"

    @property
    def people(self) -> Path:
        """One login per role, written by `marketplace seed`."""
        return self.directory / "demo-people.json"

    @property
    def seeded(self) -> Path:
        """Names the stores that hold the demo world."""
        return self.directory / "seeded"

    @property
    def seeding(self) -> Path:
        """There while the demo world is being made: found at a start, it was not finished."""
        return self.directory / "seeding"

    @property
    def secrets(self) -> Path:
        """Passwords and keys of the services started here; its presence marks the directory as an instance's."""
        return self.directory / "secrets.json"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.directory / "logs"


def find_instance(environ: Mapping[str, str] | None = None, checkout: Path = CHECKOUT) -> Instance:
    """The instance of this checkout, or of LOCAL_DIR; raises Trouble for settings that make no sense."""
    own = os.environ if environ is None else environ
    given = {**dotenv.load(checkout / ".env"), **own}
    directory = Path(given.get("LOCAL_DIR") or ".local").expanduser()
    port = given.get("PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise Trouble(f"PORT is {port!r}, which is not a port.", "Set PORT to a number from 1 to 65535.")
    return Instance((checkout / directory).resolve(), int(port), given)


def settings(instance: Instance, services: Mapping[str, str], secret_key: str) -> dict[str, str]:
    """The settings of the instance's processes.

    What the person set wins, except over the services started here, whose addresses and keys belong together.
    """
    given = {name: instance.given[name] for name in SETTINGS if instance.given.get(name)}
    defaults = {"ENVIRONMENT": "development", "SECRET_KEY": secret_key, "LOG_LEVEL": "INFO"}
    fixed = {"BASE_URL": instance.base_url, "PORT": str(instance.port), "LOCAL_DIR": str(instance.directory)}
    return {**defaults, **given, **services, **fixed}
