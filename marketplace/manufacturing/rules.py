"""When a workshop may hold a CAD file. Pure: one function over every condition."""

import unicodedata
from dataclasses import dataclass, fields

from marketplace.kernel.errors import Conflict, DomainError, Forbidden

#: A link lives this long, seconds, and opens one download once.
LINK_LIFE_S = 60
#: Order states in which the workshop works with the file.
OPEN_STATES = frozenset({"paid", "in_production"})


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that must hold at once (invariant: a link exists in exactly one of the 2^n cases)."""

    member: bool
    confirmed: bool
    in_good_standing: bool
    vetted: bool
    assigned: bool
    nda_signed: bool
    nda_in_force: bool
    order_open: bool
    file_pinned: bool
    file_unchanged: bool

    @property
    def all_hold(self) -> bool:
        """Whether nothing stands against the link."""
        return all(getattr(self, f.name) for f in fields(self))


def refusal(found: Conditions) -> DomainError | None:
    """Why there is no link, or None. The first missing condition names the code."""
    if not found.member or not found.assigned:
        return Forbidden("not_assigned", "Only the workshop that was awarded this order gets its CAD file.")
    if not found.confirmed:
        return Forbidden("email_unconfirmed", "Please confirm your e-mail address first; we sent you a link.")
    if not found.in_good_standing or not found.vetted:
        return Forbidden("not_approved", "Your business has not been approved yet. We will write to you when it is.")
    if not found.nda_signed:
        return Forbidden("nda_required", "Read and sign the NDA of this order first.")
    if not found.nda_in_force:
        return Forbidden("nda_revoked", "The designer has revoked the NDA. Ask the production manager what to do.")
    if not found.order_open:
        return Conflict("order_not_open", "The CAD file can be fetched once the order is paid and until it is shipped.")
    if not found.file_pinned:
        return Forbidden("file_not_licensed", "This file is not part of what was licensed.")
    if not found.file_unchanged:
        return Conflict("file_changed", "The file is not the one that was licensed. Production must stop; tell us.")
    return None


def same_name(typed: str, account: str) -> bool:
    """Whether a typed name is the account's, whatever the case, width and spacing."""
    return _plain(typed) == _plain(account) != ""


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
