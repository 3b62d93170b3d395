"""The group of services an instance needs, less those that its settings point elsewhere."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from sandbox.services import standins
from sandbox.services.keys import Keys
from sandbox.services.ports import Ports
from sandbox.services.postgres import Postgres
from sandbox.services.process import Child, wait_until_ready
from sandbox.services.seaweed import BUCKET, REGION, Seaweed
from sandbox.services.standins import StandIn
from sandbox.services.valkey import Valkey

# Key-shaped, so that the vendors' libraries take them; the stand-ins take any key.
_STRIPE_KEY = "sk_test_sandbox_0000000000000000"
_GEMINI_KEY = "sandbox-key"

# What tests read, by the setting it mirrors.
_TEST_NAMES = {
    "DATABASE_URL": "TEST_DATABASE_URL",
    "REDIS_URL": "TEST_REDIS_URL",
    "S3_ENDPOINT_URL": "TEST_S3_ENDPOINT_URL",
    "S3_ACCESS_KEY_ID": "TEST_S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY": "TEST_S3_SECRET_ACCESS_KEY",
    "SMTP_URL": "TEST_SMTP_URL",
    "SANDBOX_MAIL_URL": "TEST_MAIL_URL",
    "INBOUND_MAIL_DOMAIN": "TEST_INBOUND_MAIL_DOMAIN",
    "INBOUND_MAIL_KEY": "TEST_INBOUND_MAIL_KEY",
    "STRIPE_API_BASE": "TEST_STRIPE_URL",
    "STRIPE_API_KEY": "TEST_STRIPE_API_KEY",
    "STRIPE_WEBHOOK_SECRET": "TEST_STRIPE_WEBHOOK_SECRET",
    "RATES_URL": "TEST_RATES_URL",
    "GEMINI_BASE_URL": "TEST_GEMINI_URL",
    "GEMINI_API_KEY": "TEST_GEMINI_API_KEY",
}


class Services:
    """Starts what `given` (settings by name) does not already point to, under one directory.

    `env` maps setting names to addresses and credentials of what was started. A group that is not durable keeps
    nothing on disk safe from a power cut, forgets its database on stop, and also names its addresses as tests
    read them (TEST_DATABASE_URL and so on); there, TEST_ names count as given. `webhook_url` is where the payments
    stand-in delivers its events; empty means nowhere until its control API says otherwise.
    """

    def __init__(
        self,
        base: Path | str,
        *,
        durable: bool = True,
        stand_ins: bool = True,
        given: Mapping[str, str] | None = None,
        webhook_url: str = "",
    ) -> None:
        self.base = Path(base).absolute()
        self.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys = Keys(self.base / "secrets.json")
        self._given = dict(given or {})
        self._durable = durable
        ports = Ports(self.base / "ports.json" if durable else None)
        self.env: dict[str, str] = {}
        self.postgres: Postgres | None = None
        self.stores: list[Child] = []
        self.stand_ins: list[StandIn] = []
        self._plan_stores(ports)
        if stand_ins:
            self._plan_stand_ins(ports, webhook_url)
        if not durable:
            self.env |= {_TEST_NAMES[k]: v for k, v in self.env.items() if k in _TEST_NAMES}

    @property
    def children(self) -> list[Child]:
        """Everything of the group, in the order in which it starts."""
        return [*self.stores, *self.stand_ins]

    def spawn(self) -> None:
        """Start all at once without waiting; call it from the main thread."""
        for child in self.children:
            child.start()

    def wait(self) -> dict[str, float]:
        """Wait until all answer; seconds by name. Raises ServiceFailed when one does not come up."""
        return wait_until_ready(self.children)

    def stop(self) -> None:
        """End all in reverse order; data of a durable group is kept."""
        for stand_in in self.stand_ins:
            stand_in.request_stop()
        for child in reversed(self.children):
            throw_away = not self._durable and child is not self.postgres
            child.stop(grace=0 if throw_away else None)

    def __enter__(self) -> "Services":
        try:
            self.spawn()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _elsewhere(self, *names: str) -> bool:
        """Whether any of these settings (or, for tests, its TEST_ twin) is already given."""
        asked = {*names} | (set() if self._durable else {_TEST_NAMES[n] for n in names if n in _TEST_NAMES})
        return any(self._given.get(name) for name in asked)

    def _plan_stores(self, ports: Ports) -> None:
        if not self._elsewhere("DATABASE_URL"):
            self.postgres = Postgres(self.base, self.keys, ports, durable=self._durable)
            self.stores.append(self.postgres)
            self.env["DATABASE_URL"] = self.postgres.url
        if not self._elsewhere("REDIS_URL"):
            valkey = Valkey(self.base, self.keys, ports, durable=self._durable)
            self.stores.append(valkey)
            self.env["REDIS_URL"] = valkey.url
        if not self._elsewhere("S3_ENDPOINT_URL"):
            bucket = self._given.get("S3_BUCKET") or BUCKET
            seaweed = Seaweed(self.base, self.keys, ports, bucket=bucket)
            self.stores.append(seaweed)
            self.env |= {
                "S3_ENDPOINT_URL": seaweed.url,
                "S3_REGION": REGION,
                "S3_BUCKET": bucket,
                "S3_ACCESS_KEY_ID": seaweed.access_key,
                "S3_SECRET_ACCESS_KEY": seaweed.secret_key,
            }

    def _plan_stand_ins(self, ports: Ports, webhook_url: str) -> None:
        inherited = {**os.environ, **self._given}
        # A key without an address means the vendor itself.
        if not self._elsewhere("STRIPE_API_BASE", "STRIPE_API_KEY"):
            stripe = standins.stripe(self.base, self.keys, ports, inherited, webhook_url, durable=self._durable)
            self.stand_ins.append(stripe)
            self.env |= {
                "STRIPE_API_BASE": stripe.url,
                "STRIPE_API_KEY": _STRIPE_KEY,
                # The account that the IBAN registry shows as its example for the United Kingdom.
                "BANK_ACCOUNT": "GB33BUKB20201555555555",
                "BANK_BIC": "BUKBGB22",
                "STRIPE_WEBHOOK_SECRET": standins.webhook_secret(self.keys),
            }
        if not self._elsewhere("GEMINI_BASE_URL", "GEMINI_API_KEY"):
            gemini = standins.gemini(self.base, ports, inherited)
            self.stand_ins.append(gemini)
            self.env |= {"GEMINI_BASE_URL": gemini.url, "GEMINI_API_KEY": _GEMINI_KEY}
        if not self._elsewhere("RATES_URL"):
            rates = standins.rates(self.base, ports, inherited)
            self.stand_ins.append(rates)
            self.env["RATES_URL"] = rates.url + "/stats/eurofxref/eurofxref-daily.xml"
        if not self._elsewhere("TSA_URL", "SEAL_KEY_FILE"):
            tsa, seal = standins.tsa(self.base, ports, inherited)
            self.stand_ins.append(tsa)
            self.env |= {
                "TSA_URL": tsa.url,
                "SEAL_KEY_FILE": str(seal.seal_key),
                "SEAL_CERTIFICATE_FILE": str(seal.seal_certificate),
                "SEAL_ROOTS_FILE": str(seal.roots),
            }
        if not self._elsewhere("SMTP_URL"):
            inbound = webhook_url.replace("/webhooks/stripe", "/webhooks/mail/mime")
            mail, smtp_url = standins.mail(self.base, self.keys, ports, inherited, inbound, durable=self._durable)
            self.stand_ins.append(mail)
            self.env |= {
                "SMTP_URL": smtp_url,
                "SANDBOX_MAIL_URL": mail.url,
                "INBOUND_MAIL_DOMAIN": standins.INBOUND_DOMAIN,
                "INBOUND_MAIL_KEY": standins.inbound_key(self.keys),
            }
