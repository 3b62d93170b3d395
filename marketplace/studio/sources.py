"""What a model is told about a design, and what its words may rest on."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization, User
from marketplace.designs.models import Design, Fact
from marketplace.designs.pictures import gallery
from marketplace.designs.queries import facts_of
from marketplace.designs.vocabulary import metal_name
from marketplace.gateways.content import check_claims
from marketplace.studio.rules import plain_text

MAX_PICTURES = 8
_JPEG = "image/jpeg"
#: Wide enough for a model to see settings and proportions.
_MODEL_PIXELS = 640
#: Facts about the file or the making, not about the piece; a count among them must not back a count in words.
_TECHNICAL = frozenset(
    {
        "axis", "cavities", "duplicate_shells", "nested_shells", "open_edges", "pieces", "print_hours", "seat_count",
        "self_intersections", "shells", "solids", "triangles", "unit", "watertight",
    }
)  # fmt: skip
#: What a workshop needs and a reader does not; words may rest on it, but no model is told.
_WORKSHOP = ("wall_", "gap_", "feature_", "mass_", "shank_")


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that is sent: its id (`asset.view`) and the key of its JPEG."""

    picture: str
    key: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a draft is made of."""

    design_id: str
    org_id: str
    title: str
    category: str
    designer: str
    text: str
    language: str
    facts: list[dict[str, Any]]
    shots: list[Shot]


def known_facts(design: Design, facts: list[Fact]) -> list[dict[str, Any]]:
    """Facts that words may rest on: those of the piece, and what its designer says it is made of."""
    known = [
        {"name": fact.name, "value": fact.value, "unit": fact.unit, "source": fact.source}
        for fact in facts
        if fact.value is not None and fact.name not in _TECHNICAL
    ]
    for name, words in (("metals", [metal_name(m) for m in design.metals]), ("stones", design.stones)):
        if words:
            known.append({"name": name, "value": ", ".join(words)[:300], "unit": "", "source": "human"})
    return known


def material(session: Session, design_id: str, user_id: str | None) -> Material:
    """What to send for a design, in the language of the person who asked. Raises NoResultFound."""
    design = session.get_one(Design, design_id)
    user = session.get(User, user_id) if user_id else None
    shots = [
        Shot(picture.id, picture.best(_MODEL_PIXELS, _JPEG).storage_key)
        for picture in gallery(session, design.id)
        if picture.formats.get(_JPEG)
    ]
    return Material(
        design_id=design.id,
        org_id=design.org_id,
        title=design.title,
        category=design.category or "piece of jewelry",
        designer=session.scalars(select(Organization.name).where(Organization.id == design.org_id)).one(),
        text=design.description,
        language=user.locale if user else "en",
        facts=[
            {**fact, "value": round(fact["value"], 2)} if isinstance(fact["value"], float) else fact
            for fact in known_facts(design, facts_of(session, design.id))
            if not fact["name"].startswith(_WORKSHOP)
        ],
        shots=shots[:MAX_PICTURES],
    )


def check_words(session: Session, design: Design, kind: str, text: dict[str, Any]) -> list[dict[str, Any]]:
    """Claims in edited words that no fact of the design supports."""
    designer = session.scalars(select(Organization.name).where(Organization.id == design.org_id)).one()
    return check_claims(
        plain_text(kind, text),
        known_facts(design, facts_of(session, design.id)),
        language=str(text.get("language") or "en"),
        known_text=f"{design.title} ; {design.category or ''} ; {designer}",
    )
