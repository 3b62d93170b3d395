"""Who will see what of a design: asked of the policy itself, for made-up people of each kind."""

from dataclasses import dataclass, fields, replace

from flask_babel import gettext as _

from marketplace.designs.models import Design
from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.manufacturing.rules import Conditions
from marketplace.manufacturing.rules import refusal as cad_refusal
from marketplace.policy.decide import refusal
from marketplace.policy.permissions import Permission

_EVERYTHING = Conditions(**{field.name: True for field in fields(Conditions)})


@dataclass(frozen=True, slots=True)
class Eye:
    """Somebody who looks: a made-up person, and what holds of a workshop's order (None: no workshop)."""

    word: str
    actor: Actor
    order: Conditions | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is seen, and the condition or the reason in words."""

    seen: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing and the answer for each eye."""

    word: str
    answers: list[Answer]


def eyes(design: Design) -> list[Eye]:
    """Your own studio, a visitor, a buyer, and a workshop that was awarded an order, before and after its NDA."""
    own = Actor(kind="person", user_id="one", org_id=design.org_id, role="designer", approved=True, confirmed=True)
    other = replace(own, org_id="another")
    return [
        Eye(_("Your studio"), own),
        Eye(_("Visitor"), ANONYMOUS),
        Eye(_("Buyer, trade member"), replace(other, role="buyer")),
        Eye(
            _("Workshop, NDA not signed"),
            replace(other, role="manufacturer"),
            replace(_EVERYTHING, nda_signed=False, nda_in_force=False),
        ),
        Eye(_("Workshop, NDA signed"), replace(other, role="manufacturer"), _EVERYTHING),
    ]


def sight(design: Design) -> list[Row]:
    """Every kind of thing on a design's page, most public first."""
    watching = eyes(design)
    shown = (_("Pictures and story"), _("3D likeness, coarse"), _("Measured facts and weights"), _("License fee"))
    kept = (_("Exact 3D, wall thickness, findings"), _("Tech pack and versions"), _("Drafts, originals of photos"))
    rows = [Row(word, [_catalog(design, eye) for eye in watching]) for word in shown]
    rows += [Row(word, [_workspace(design, eye) for eye in watching]) for word in kept]
    return [*rows, Row(_("CAD file"), [_cad(design, eye) for eye in watching])]


def _catalog(design: Design, eye: Eye) -> Answer:
    if refusal(eye.actor, Permission.DESIGN_READ, design) is None:
        return Answer(True)
    found = refusal(eye.actor, Permission.CATALOG_BROWSE)
    if found is not None:
        return Answer(False, _(found.message))
    return Answer(design.state == "listed", "" if design.state == "listed" else _("once it is listed"))


def _workspace(design: Design, eye: Eye) -> Answer:
    return Answer(refusal(eye.actor, Permission.DESIGN_READ, design) is None)


def _cad(design: Design, eye: Eye) -> Answer:
    if refusal(eye.actor, Permission.ASSET_UPLOAD, design) is None:
        return Answer(True)
    if eye.order is None or refusal(eye.actor, Permission.CAD_LINK) is not None:
        return Answer(False)
    found = cad_refusal(eye.order)
    if found is not None:
        return Answer(False, _(found.message))
    return Answer(True, _("for a paid order, by a link that works once"))
