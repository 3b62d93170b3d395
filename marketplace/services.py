"""The outside world of one process: engines and gateways, made once from the settings."""

from dataclasses import dataclass
from functools import cached_property

from redis import Redis
from sqlalchemy import Engine

from marketplace.config import Settings
from marketplace.db.engines import make_engine
from marketplace.gateways.mail import Mailer
from marketplace.gateways.payments import Payments
from marketplace.gateways.seals import Seals
from marketplace.gateways.storage import Storage
from marketplace.gateways.tokens import Tokens


@dataclass
class Services:
    """Lazily made connections; `engine` is the web role's, or the worker's in background processes."""

    settings: Settings
    background: bool = False

    @cached_property
    def engine(self) -> Engine:
        """The database as a run-time role: row security applies to the web role."""
        url = self.settings.database_worker_url if self.background else self.settings.database_web_url
        return make_engine(url, application_name="touchstone-worker" if self.background else "touchstone-web")

    @cached_property
    def redis(self) -> Redis:
        """The queue and limit server; short time-outs, because it may be gone."""
        return Redis.from_url(self.settings.redis_url, socket_timeout=2, socket_connect_timeout=1)

    @cached_property
    def storage(self) -> Storage:
        """The object store."""
        s = self.settings
        return Storage(
            endpoint_url=s.s3_endpoint_url,
            region=s.s3_region,
            bucket=s.s3_bucket,
            access_key=s.s3_access_key_id,
            secret_key=s.s3_secret_access_key,
        )

    @cached_property
    def payments(self) -> Payments:
        """Stripe."""
        s = self.settings
        return Payments(
            api_key=s.stripe_api_key,
            api_base=s.stripe_api_base,
            webhook_secrets=(s.stripe_webhook_secret, s.stripe_connect_webhook_secret),
        )

    @cached_property
    def seals(self) -> Seals:
        """The platform's seal on signed documents."""
        s = self.settings
        return Seals(
            key_file=s.seal_key_file,
            certificate_file=s.seal_certificate_file,
            roots_file=s.seal_roots_file,
            tsa_url=s.tsa_url,
        )

    @cached_property
    def mailer(self) -> Mailer:
        """The mail server."""
        return Mailer(self.settings.smtp_url, self.settings.mail_from)

    @cached_property
    def tokens(self) -> Tokens:
        """Signed, timed tokens."""
        return Tokens(self.settings.secret_key)
