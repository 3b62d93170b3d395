"""The page of alloys and rules."""

from decimal import Decimal
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import Field, field_validator

from marketplace.designs.vocabulary import metal_word
from marketplace.materials import operations, queries
from marketplace.materials.access import load_entry
from marketplace.materials.queries import Entry
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Form, FormState, read_form
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("materials", url_prefix="/materials")

MEASURE_WORDS: dict[str, Any] = {
    "wall_min": _l("Thinnest wall"),
    "hollow_wall_min": _l("Wall around a cavity"),
    "feature_min": _l("Wire, prong or post"),
    "gap_min": _l("Gap or opening"),
    "shank_thickness": _l("Thickness of the shank"),
    "mass_max": _l("Thickest solid part"),
    "cavities": _l("Closed cavities"),
    "pieces": _l("Separate pieces"),
}
FAMILY_WORDS: dict[str, Any] = {
    "any": _l("every metal"),
    "gold": _l("gold"),
    "silver": _l("silver"),
    "platinum": _l("platinum"),
    "palladium": _l("palladium"),
    "base": _l("base metal"),
}
VERDICT_WORDS: dict[str, Any] = {
    "printable": _l("can be printed"),
    "castable": _l("can be cast"),
    "wearable": _l("can be worn"),
}


class ValueForm(Form):
    """The house's own number; empty brings the published one back."""

    value: Decimal | None = Field(default=None, gt=0, max_digits=9)

    @field_validator("value", mode="before")
    @classmethod
    def _with_a_comma(cls, value: Any) -> Any:
        return value.replace(",", ".") if isinstance(value, str) else value


@section.get("", needs=Permission.MATERIALS_EDIT)
def index(call: Call, form: FormState | None = None, refused: str = "") -> ResponseReturnValue:
    """Every alloy and rule with its source, and the house's own numbers."""
    alloys, rules = queries.entries(call.session, call.org_id)
    return render_template(
        "materials/index.html",
        alloys=alloys,
        rules=rules,
        form=form or FormState(),
        refused=refused,
        metal_word=metal_word,
        measures=MEASURE_WORDS,
        families=FAMILY_WORDS,
        verdicts=VERDICT_WORDS,
    )


def again(call: Call, entry: Entry, form: FormState) -> ResponseReturnValue:
    """The page with what was typed for one number and why it cannot be."""
    return index(call, form, entry.id)


@section.post("/<entry_id>", needs=Permission.MATERIALS_EDIT, subject=load_entry, on_invalid=again)
def save(call: Call, entry: Entry) -> ResponseReturnValue:
    """Use another number from the next measurement on."""
    operations.put(call.session, call.actor, entry, read_form(ValueForm).value)
    return see_other("materials.index", toast=_("Saved. New measurements use it."))


@section.post("/<entry_id>/undo", needs=Permission.MATERIALS_EDIT, subject=load_entry)
def undo(call: Call, entry: Entry) -> ResponseReturnValue:
    """Take the last change back."""
    operations.undo(call.session, call.actor, entry)
    return see_other("materials.index", toast=_("The last change is undone."))
