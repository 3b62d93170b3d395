"""What the rights of a design say to a draft of terms, in words, before it is sent; and what is free instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.licensing.forms import TermsForm
from marketplace.licensing.grants import axes_of, granted
from marketplace.licensing.nearest import Suggestion, in_the_way, nearest
from marketplace.licensing.regions import split, territory_words
from marketplace.licensing.rights import AXES, EVERYTHING, FIRST_REFUSAL, FOREVER, Scope, bits, codes, proposed
from marketplace.licensing.term_words import LABELS, shown
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import CATEGORIES, KINDS, WORLD
from marketplace.web.forms import FormState
from marketplace.web.i18n import Formats, locale_code

_FMT = Formats()


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one draft: `reasons` say what is in its way (empty: nothing), `offers` what is free instead."""

    reasons: list[str]
    offers: list[str]
    suggestions: list[Suggestion]
    held: bool = False
    #: A first refusal is among what is in the way: its holder can be asked once the offer is on the table.
    asked_first: bool = False

    @property
    def free(self) -> bool:
        """Whether the draft collides with nothing."""
        return not self.reasons


def categories_of(category: str | None) -> int:
    """The set of a design's own category; everything when it has none that licenses name."""
    return bits("categories", [category]) if category in CATEGORIES else EVERYTHING["categories"]


def look(session: Session, design: Design, terms: Terms, *, holder: str, negotiation_id: str = "") -> Finding:
    """Whether `terms` would collide for the buyer `holder`, and the nearest scopes that would not."""
    now = clock.now()
    wanted = proposed(terms, now)
    own, place = negotiation_id or None, axes_of(terms)
    standing = granted(session, design.id, holder=holder, now=now, besides=own, place=place)
    rivals = in_the_way(wanted, standing)
    must = categories_of(design.category) if design.category in CATEGORIES else 0
    suggestions = nearest(wanted, standing, months=terms.term_months, must=must & wanted.categories)
    return Finding(
        _reasons(wanted, rivals),
        [offer_words(wanted, made) for made in suggestions],
        suggestions,
        held=any(scope.held_until for scope in rivals),
        asked_first=any(scope.kind == FIRST_REFUSAL for scope in rivals),
    )


def terms_of(wanted: Terms, made: Suggestion) -> dict[str, Any]:
    """The fields of the term sheet that a suggestion changes, as JSON values."""
    fields: dict[str, Any] = {}
    for name in made.changed:
        if name in AXES:
            fields[name] = codes(name, getattr(made.scope, name))
        elif name == "kind":
            fields[name] = made.scope.kind
        elif name == "start":
            fields[name] = made.start.isoformat() if made.start else None
        else:
            fields[name] = made.months
    return fields


def warn(session: Session, design: Design, terms: Terms, *, holder: str, negotiation_id: str = "") -> None:
    """Stop the form once when its terms collide. Raises Conflict `rights_taken`; sent again with `anyway` it goes."""
    if "anyway" in request.form:
        return
    found = look(session, design, terms, holder=holder, negotiation_id=negotiation_id)
    if not found.free:
        g.rights_finding = found
        raise Conflict(
            "rights_taken",
            "As it stands this cannot be accepted: rights in it are taken. Use what is free, or send it all the same.",
        )


def used(
    session: Session,
    design: Design,
    terms: Terms,
    typed: MultiDict[str, Any],
    *,
    holder: str,
    negotiation_id: str = "",
) -> FormState | None:
    """The whole form as `typed`, which says `terms`, with the suggestion that was chosen put in; None when none was."""
    chosen = request.form.get("use", type=int)
    if chosen is None:
        return None
    found = look(session, design, terms, holder=holder, negotiation_id=negotiation_id)
    values = MultiDict(typed)
    values.poplist("use")
    if 0 <= chosen < len(found.suggestions):
        for name, value in _form_fields(terms_of(terms, found.suggestions[chosen])).items():
            values.poplist(name)
            for item in value if isinstance(value, list) else [value]:
                values.add(name, item)
    return FormState(values=values)


def drafted(values: Mapping[str, Any]) -> Terms | None:
    """The terms of a form that is still being filled in; None while it says too little for a scope."""
    typed = MultiDict(values)
    typed.setlistdefault("fee", ["0"])
    if not typed["fee"]:
        typed.setlist("fee", ["0"])
    keep = ("kind", "where", "territories", "regions", "channels", "categories", "metals", "start", "term_months")
    lists = {"territories", "regions", "channels", "categories", "metals"}
    data = {name: typed.getlist(name) if name in lists else typed.get(name) for name in keep if typed.get(name)}
    if typed.get("kind") == "limited_edition":
        data["max_units"] = 1
    try:
        return TermsForm.model_validate({**data, "fee": "0"}).to_terms()
    except (Invalid, ValueError):
        return None


def offer_words(wanted: Scope, made: Suggestion) -> str:
    """What a suggestion changes, in one line: "Territory: without Germany · Start: 1 Mar 2027"."""
    parts = []
    for name in made.changed:
        if name == "territories":
            lost = wanted.territories & ~made.scope.territories
            keep = codes("territories", made.scope.territories)
            less = lost.bit_count() < made.scope.territories.bit_count()
            where = territory_words(codes("territories", lost) if less else keep, locale_code())
            word = _("without %(places)s", places=where) if less else _("only %(places)s", places=where)
        elif name in AXES:
            word = shown(name, codes(name, getattr(made.scope, name)))
        elif name == "kind":
            word = str(KINDS[made.scope.kind])
        elif name == "start":
            word = _FMT.date(made.start) if made.start else ""
        else:
            word = shown(name, made.months)
        parts.append(f"{LABELS[name]}: {word}")
    return " · ".join(parts)


def until_words(until: datetime) -> str:
    """Until when a right runs."""
    return _("for good") if until == FOREVER else _("until %(day)s", day=_FMT.date(until))


def _reasons(wanted: Scope, rivals: list[Scope]) -> list[str]:
    """One line for each kind of right in the way: where, which channels, until when; never whose."""
    lands: dict[tuple[str, bool], int] = {}
    ends: dict[tuple[str, bool], datetime] = {}
    for scope in rivals:
        key = (scope.kind, scope.held_until is not None)
        lands[key] = lands.get(key, 0) | scope.territories & wanted.territories
        ends[key] = max(ends.get(key, scope.until), scope.until)
    lines = []
    for (kind, held), found in lands.items():
        where = territory_words(codes("territories", found), locale_code())
        if held:
            lines.append(_("%(where)s: held for another offer for some days", where=where))
        else:
            until = until_words(ends[kind, held])
            lines.append(_("%(where)s: licensed, %(kind)s, %(until)s", where=where, kind=KINDS[kind], until=until))
    return lines


def _form_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of the term sheet as the form names them."""
    found = {name: "" if value is None else value for name, value in fields.items()}
    if "territories" in found:
        world = found["territories"] == [WORLD]
        found["where"] = "world" if world else "countries"
        found["regions"], found["territories"] = ([], []) if world else split(found["territories"])
    if "term_months" in found:
        found["term_months"] = str(found["term_months"])
    return found
