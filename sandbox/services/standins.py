"""Starts the vendors' stand-ins, each its own process behind its own wire protocol."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.services.authority import Authority
from sandbox.services.keys import Keys
from sandbox.services.ports import Ports
from sandbox.services.process import Process

_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class StandIn(Process):
    """A stand-in; `url` is the base address of what it offers over HTTP."""

    url: str = ""


def healthy(address: str) -> bool:
    """Whether a GET of this address on loopback answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:  # noqa: S310 - an address of our own
            return int(reply.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def _stand_in(base: Path, vendor: str, port: int, options: Sequence[str], env: Mapping[str, str]) -> StandIn:
    url = f"http://127.0.0.1:{port}"
    return StandIn(
        name=vendor,
        command=[sys.executable, "-m", f"sandbox.{vendor}", *options],
        log_file=base / "logs" / f"{vendor}.log",
        env=env,
        cwd=_CHECKOUT,
        grace=5,
        check=lambda: healthy(f"{url}/_sandbox/health"),
        url=url,
    )


def stripe(base: Path, keys: Keys, ports: Ports, env: Mapping[str, str], webhook_url: str, *, durable: bool) -> StandIn:
    """The payments stand-in; it signs its events to `webhook_url` with the instance's webhook secret."""
    port = ports.take("stripe")
    options = ["--port", str(port), "--webhook-url", webhook_url, "--webhook-secret", webhook_secret(keys)]
    if durable:
        options += ["--state", str(base / "stripe.json")]
    return _stand_in(base, "stripe", port, options, env)


def webhook_secret(keys: Keys) -> str:
    """The secret under which the payments stand-in signs, in the vendor's own form."""
    return "whsec_" + keys.get("stripe-webhook")


def gemini(base: Path, ports: Ports, env: Mapping[str, str]) -> StandIn:
    """The language and image model stand-in."""
    port = ports.take("gemini")
    return _stand_in(base, "gemini", port, ["--port", str(port)], env)


def rates(base: Path, ports: Ports, env: Mapping[str, str]) -> StandIn:
    """The reference rates stand-in."""
    port = ports.take("rates")
    return _stand_in(base, "rates", port, ["--port", str(port)], env)


def tsa(base: Path, ports: Ports, env: Mapping[str, str]) -> tuple[StandIn, Authority]:
    """The time-stamping stand-in, and the files of the sandbox's keys."""
    authority = Authority(base / "seal")
    authority.ensure()
    port = ports.take("tsa")
    options = ["--port", str(port), "--key", str(authority.tsa_key), "--certificate", str(authority.tsa_certificate)]
    return _stand_in(base, "tsa", port, options, env), authority


#: The domain whose mail the mail stand-in posts to the product.
INBOUND_DOMAIN = "reply.touchstone.test"


def inbound_key(keys: Keys) -> str:
    """The key under which the mail stand-in signs what it posts."""
    return "key-" + keys.get("inbound-mail")


def mail(
    base: Path, keys: Keys, ports: Ports, env: Mapping[str, str], webhook_url: str, *, durable: bool
) -> tuple[StandIn, str]:
    """The mail stand-in and the SMTP address it takes mail at; mail for the product goes to `webhook_url`, if any."""
    http, smtp = ports.take("mail"), ports.take("smtp")
    options = ["--smtp-port", str(smtp), "--http-port", str(http)]
    options += ["--inbound-domain", INBOUND_DOMAIN, "--inbound-url", webhook_url, "--inbound-key", inbound_key(keys)]
    if durable:
        options += ["--state", str(base / "mail")]
    return _stand_in(base, "mail", http, options, env), f"smtp://127.0.0.1:{smtp}"
