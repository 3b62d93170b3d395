"""What a person, and a program, gets to know of the running instance."""

import json
from collections.abc import Mapping

from sandbox.local.environment import Instance
from sandbox.local.terminal import paint, say
from sandbox.services.keys import write_private

ROLES = ("designer", "buyer", "manufacturer", "production_manager", "operator")


def people(instance: Instance) -> dict[str, dict[str, str]]:
    """One login per role as `marketplace seed` left them; empty without a demo world."""
    try:
        known = json.loads(instance.people.read_text())
        return {role: {key: known[role][key] for key in ("email", "password")} for role in ROLES if role in known}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def write_files(instance: Instance, settings: Mapping[str, str]) -> None:
    """Write `demo.json` for programs that play, and the record for `./dev cli`; both for the owner's eyes only."""
    demo = {
        "base_url": settings["BASE_URL"],
        "people": people(instance),
        "sandbox": {
            "stripe": settings.get("STRIPE_API_BASE", ""),
            "gemini": settings.get("GEMINI_BASE_URL", ""),
            "mail": settings.get("SANDBOX_MAIL_URL", ""),
            "s3": settings.get("S3_ENDPOINT_URL", ""),
        },
    }
    write_private(instance.demo, json.dumps(demo, indent=2) + "\n")
    write_private(instance.record, json.dumps(dict(settings), indent=2, sort_keys=True) + "\n")


def announce(instance: Instance, settings: Mapping[str, str], seconds: float) -> None:
    """Print the address, the logins and the sandbox pages."""
    say(f"\n{paint('Ready', 'green')} in {seconds:.1f} s:  {paint(settings['BASE_URL'], 'bold')}\n")
    logins = people(instance)
    for role, login in logins.items():
        say(f"  {role.replace('_', ' '):<20} {login['email']:<36} {login['password']}")
    if not logins:
        say("  No demo world: sign up on the page, or make an operator with ./dev cli create-operator.")
    say()
    if mail := settings.get("SANDBOX_MAIL_URL"):
        say(f"  {'sandbox inbox':<20} {mail}/")
    if stripe := settings.get("STRIPE_API_BASE"):
        say(f"  {'sandbox payments':<20} {stripe}/")
    say(f"  {'logs':<20} {instance.logs}")
    say("\nCtrl-C stops everything and keeps the data.\n")
