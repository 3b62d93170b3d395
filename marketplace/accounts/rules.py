"""Rules of accounts: vetting as a table, passwords, and what each kind of organization is."""

import unicodedata

from marketplace.kernel.states import Machine, step

#: The version of the terms people accept at sign-up.
TERMS_VERSION = "2026-11"

#: Kind of organization a role signs up with; `operator` comes from the command line only.
SIGN_UP_ROLES = ("designer", "buyer", "manufacturer", "production_manager")

#: Kinds that start to work without being vetted.
UNVETTED = frozenset({"designer"})

VETTING = Machine(
    "organization",
    "pending",
    [
        step("pending", "approve", "operator", "approved"),
        step("pending", "refuse", "operator", "refused"),
        step("refused", "approve", "operator", "approved"),
        step("approved", "suspend", "operator", "suspended"),
        step("suspended", "approve", "operator", "approved"),
    ],
)

MIN_PASSWORD = 12
MAX_PASSWORD = 256
_COMMON = frozenset(
    [
        "password",
        "passw0rd",
        "letmein",
        "welcome",
        "qwertyuiop",
        "qwerty123456",
        "123456789012",
        "1234567890ab",
        "iloveyou",
        "administrator",
        "changeme",
        "jewelry",
        "jewellery",
        "diamonds",
        "touchstone",
        "111111111111",
        "abcdefghijkl",
    ]
)


def first_state(kind: str) -> str:
    """The vetting state an organization of this kind begins in."""
    return "approved" if kind in UNVETTED or kind == "operator" else VETTING.initial


def password_problem(password: str, context: tuple[str, ...] = ()) -> str | None:
    """Why a password cannot be taken, or None. `context` holds the person's name, address and business.

    After ASVS 6.2: length instead of composition, no common or personal passwords, nothing truncated.
    """
    if len(password) < MIN_PASSWORD:
        return "Use at least 12 characters; a few words are easy to remember."
    if len(password) > MAX_PASSWORD:
        return "Use at most 256 characters."
    if "\x00" in password:
        return "The password holds a character that cannot be used."
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(set(folded)) < 5 or any(folded.strip("0123456789!. ") == c or folded == c for c in _COMMON):
        return "This password is too common."
    for word in context:
        for part in word.casefold().replace("@", " ").split():
            if len(part) >= 4 and len(folded.replace(part, "")) < 6:
                return "The password must not be made of your name or address."
    return None


def email_key(email: str) -> str:
    """The form of an address that is unique: NFKC, case folded."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()
