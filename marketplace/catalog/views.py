"""Pages of the catalog."""

from functools import lru_cache
from typing import Any

from flask import get_template_attribute, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from marketplace.accounts.queries import countries
from marketplace.catalog import operations, queries
from marketplace.catalog.access import load_listed
from marketplace.catalog.filters import CatalogQuery
from marketplace.designs.models import Design
from marketplace.designs.pictures import Picture, Sign, derivatives_of, group
from marketplace.designs.vocabulary import category_options, category_word, metal_word, view_word
from marketplace.policy.permissions import Permission
from marketplace.studio import checks
from marketplace.studio.canvas import LOOKS, look_of
from marketplace.studio.photo_words import edits_line
from marketplace.studio.rows import FactRow, fact_rows
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import read_query
from marketplace.web.i18n import locale_code
from marketplace.web.navigate import leave_for, own_path
from marketplace.web.section import Section

#: The widest web size, and the width of the JPEG for browsers that read neither AVIF nor WebP.
FULL_WIDTH, FALLBACK_WIDTH = 2000, 1200

section = Section("catalog", url_prefix="/catalog")


@section.get("", needs=Permission.CATALOG_BROWSE)
def index(call: Call) -> ResponseReturnValue:
    """The grid; filters stand in the URL, a filter change swaps the results only."""
    asked = read_query(CatalogQuery)
    found = queries.cards(call.session, asked, user_id=call.user_id)
    more_only = is_htmx() and asked.cursor is not None
    return render_template(
        "catalog/_cards.html" if more_only else "catalog/_results.html" if is_htmx() else "catalog/index.html",
        asked=asked,
        page=found,
        facets=None if more_only else queries.facets(call.session, asked, user_id=call.user_id),
        image_url=call.services.storage.image_url,
        link=_link,
        category_word=category_word,
        categories=category_options(),
        metal_word=metal_word,
        territories=_territories(locale_code(), asked.available_for),
    )


@section.get("/<design_id>", needs=Permission.CATALOG_BROWSE, subject=load_listed)
def show(call: Call, design: Design) -> ResponseReturnValue:
    """One piece: pictures, facts, story, and what one can ask of its designer."""
    studio, saved = queries.studio_and_saved(call.session, design, call.user_id)
    made = derivatives_of(call.session, design.id)
    sign = call.services.storage.image_url
    facts = queries.facts(call.session, design.id)
    likeness = checks.likeness(made, {fact.asset_id for fact in facts})
    return render_template(
        "catalog/show.html",
        design=design,
        studio=studio,
        views=picture_views([p for p in group(made) if not p.hidden], sign),
        likeness=sign(likeness.storage_key) if likeness else None,
        look=look_of(design.metals),
        looks=LOOKS,
        facts=fact_rows([f for f in facts if f.value is not None and not f.reason]),
        saved=saved,
        rows_of=_rows_of,
        category_word=category_word,
        metal_word=metal_word,
    )


@section.post("/<design_id>/save", needs=Permission.CATALOG_SAVE, subject=load_listed)
def save(call: Call, design: Design) -> ResponseReturnValue:
    """Save, or with `remove` forget again; swaps the button in place or goes back to the page."""
    remove = "remove" in request.form
    (operations.unsave if remove else operations.save)(call.session, call.actor, design)
    if is_htmx():
        return render_template("catalog/_save.html", design_id=design.id, title=design.title, saved=not remove)
    return leave_for(own_path(request.form.get("next")) or url_for("catalog.show", design_id=design.id))


def _rows_of(rows: list[FactRow]) -> list[dict[str, str]]:
    """Facts as the list of the design system takes them."""
    return [{"label": r.label, "value": r.value, "source": r.fact.source, "note": r.note} for r in rows]


@lru_cache(maxsize=1024)
def _territories(locale: str, chosen: str) -> Markup:
    """The options of the territory filter: 250 countries are worth making once."""
    made: Markup = get_template_attribute("catalog/_territories.html", "territories")(countries(locale), chosen)
    return made


def _link(asked: CatalogQuery, **changes: Any) -> str:
    """The catalog's address with some filters changed (None removes one); always back on the first page."""
    kept = {**asked.active, "sort": asked.sort, "currency": asked.currency, **changes}
    defaults = {"sort": "newest", "currency": "USD"}
    return url_for("catalog.index", **{k: v for k, v in kept.items() if v not in {None, "", defaults.get(k)}})


def picture_views(pictures: list[Picture], sign: Sign) -> list[dict[str, Any]]:
    """Pictures as the page shows them: sources, a JPEG for old browsers, size, placeholder, words."""
    found = []
    for picture in pictures:
        largest = picture.best(FULL_WIDTH)
        rendered = picture.origin == "render"
        found.append(
            {
                "src": picture.fallback(sign, FALLBACK_WIDTH),
                "sources": picture.sources(sign),
                "width": largest.width,
                "height": largest.height,
                "placeholder": picture.placeholder,
                "alt": _("Picture made from the CAD file: %(view)s", view=view_word(picture.view))
                if rendered
                else _("Photo"),
                "rendered": rendered,
                "edits": edits_line(picture.edits),
            }
        )
    return found
