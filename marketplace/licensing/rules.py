"""Rules of negotiations and licenses: the two state machines, whose turn it is, and what counts as one's own name."""

import hashlib
import unicodedata
from datetime import datetime, timedelta

from marketplace.kernel.actor import Actor
from marketplace.kernel.states import Machine, step
from marketplace.licensing.models import License, Negotiation

SIDES = ("designer", "buyer")

#: `on_turn` is the side that has to answer the last offer, `off_turn` the side that made it. A withdrawn counter offer
#: does not bring back the one it answered: a counter offer has refused it (docs/adr/0013).
NEGOTIATION = Machine(
    "negotiation",
    "open",
    [
        step("open", "accept", "on_turn", "accepted"),
        step("open", "counter", "on_turn", "open"),
        step("open", "decline", "on_turn", "declined"),
        step("open", "withdraw", "off_turn", "withdrawn"),
        step("open", "message", SIDES, "open"),
        step("accepted", "message", SIDES, "accepted"),
        step("open", "agree", "on_turn", "open"),
        step("open", "expire", "system", "expired"),
        step("declined", "reopen", SIDES, "open"),
        step("withdrawn", "reopen", SIDES, "open"),
        step("expired", "reopen", SIDES, "open"),
    ],
)

#: How long after its end a negotiation can be taken up again; after that a new one is opened.
REOPEN_WITHIN = timedelta(days=90)

#: Why an offer is declined, as the one who declines may say it in one word.
DECLINE_REASONS = ("fee", "royalty", "scope", "duration", "timing", "capacity", "other")

LICENSE = Machine(
    "license",
    "drafting",
    [
        step("drafting", "document_made", "system", "to_sign"),
        step("to_sign", "sign", SIDES, "to_sign"),
        step("to_sign", "fully_signed", "system", "to_pay"),
        step("to_sign", "fully_signed_free", "system", "active"),
        step("to_pay", "activate", "system", "active"),
        *(step(state, "lapse", "system", "ended") for state in ("drafting", "to_sign", "to_pay")),
        step("active", "give_notice", SIDES, "breach"),
        # Whether a breach is cured is for the side to say that gave notice of it.
        step("breach", "cure", "notifier", "active"),
        # Nobody ended the license in the time after that; the notice is worth nothing any more.
        step("breach", "let_go_on", "system", "active"),
        *(step(state, "expire", "system", "expired") for state in ("active", "breach")),
        *(step(state, "wind_down", "system", "sell_off") for state in ("active", "breach")),
        *(step(state, "terminate", "system", "ended") for state in ("active", "breach")),
        step("expired", "sell_off", "system", "sell_off"),
        *(step(state, "close", "system", "ended") for state in ("expired", "sell_off")),
    ],
)

#: An amendment or a termination of a license: who proposes it signs first, then the other side.
ADDENDUM = Machine(
    "addendum",
    "drafting",
    [
        step("drafting", "document_made", "system", "to_sign"),
        step("to_sign", "sign", SIDES, "to_sign"),
        step("to_sign", "fully_signed", "system", "done"),
        *(step(state, "withdraw", "proposer", "withdrawn") for state in ("drafting", "to_sign")),
        *(step(state, "decline", "answerer", "declined") for state in ("drafting", "to_sign")),
        *(step(state, "lapse", "system", "lapsed") for state in ("drafting", "to_sign")),
    ],
)

#: States of an addendum that can still be signed.
ADDENDUM_OPEN = ("drafting", "to_sign")

#: States in which a license holds its rights against others.
HOLDING = ("drafting", "to_sign", "to_pay", "active", "breach")
#: States in which the buyer has the rights: the license runs, also while a breach is being cured.
RUNNING = ("active", "breach")
#: States before the license has begun.
BEFORE = ("drafting", "to_sign", "to_pay")

#: An agreement that is not signed by both sides for this long lets go of the rights.
SIGN_WITHIN = timedelta(days=30)
#: One that both have signed and the buyer does not pay lets go of them too.
PAY_WITHIN = timedelta(days=14)
#: Days before the end of the term on which both sides are told.
NOTICE_DAYS = (90, 30, 7)
#: How long the other side has to cure a breach; the agreement's clauses say so.
CURE_WITHIN = timedelta(days=30)
#: How long after that the side that gave notice can end the license by its signature alone; then its notice lapses.
END_WITHIN = timedelta(days=30)
#: Within this time after the end the buyer destroys files, molds and masters and says so; the clauses say so.
CLOSE_WITHIN = timedelta(days=30)
#: How often a buyer who has not said so is asked.
ASK_AGAIN = timedelta(days=7)
#: The designer, whose rights they are, signs the agreement first.
SIGNS_FIRST = "designer"


def other(side: str) -> str:
    """The opposite side."""
    return "buyer" if side == "designer" else "designer"


def side_of(subject: Negotiation | License, actor: Actor) -> str | None:
    """`designer` or `buyer` when the actor's organization is that party, else None."""
    if actor.org_id is None:
        return None
    if actor.org_id == subject.designer_org_id:
        return "designer"
    return "buyer" if actor.org_id == subject.buyer_org_id else None


def roles_in(negotiation: Negotiation, actor: Actor) -> frozenset[str]:
    """What the actor is to the negotiation, as NEGOTIATION names it."""
    if actor.kind == "system":
        return frozenset({"system"})
    side = side_of(negotiation, actor)
    if side is None:
        return frozenset()
    return frozenset({side, "on_turn" if negotiation.turn == side else "off_turn"})


def lapsed(negotiation: Negotiation, now: datetime) -> bool:
    """Whether the last offer ran out, also before the periodic job has written it down."""
    return negotiation.state == "open" and negotiation.expires_at <= now


def state_now(negotiation: Negotiation, now: datetime) -> str:
    """The state as people should see it."""
    return "expired" if lapsed(negotiation, now) else negotiation.state


def considered(negotiation: Negotiation, now: datetime) -> bool:
    """Whether the buyer's side is asking its own colleagues about the offer on the table, or its answer to it."""
    return state_now(negotiation, now) == "open" and negotiation.considered_version == negotiation.current_version


def same_name(typed: str, name: str) -> bool:
    """Whether a typed signature is the person's name, apart from case, width and spaces."""

    def folded(text: str) -> str:
        return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

    return bool(typed.strip()) and folded(typed) == folded(name)


def alias_code(buyer_org_id: str, design_id: str) -> str:
    """Four characters that stand for a buyer toward one design's designer; they differ from design to design."""
    return hashlib.sha256(f"{buyer_org_id}:{design_id}".encode()).hexdigest()[:4].upper()
