"""Term sheets over the API: kept ones, the published one, and what the offers for a design start from."""

from typing import Any

from pydantic import BaseModel, Field

from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.licensing.playbook import operations, queries
from marketplace.licensing.playbook.access import load_sheet
from marketplace.licensing.playbook.api import api
from marketplace.licensing.playbook.models import TermSheet
from marketplace.licensing.terms import Terms
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body

#: The playbook's part of the API, extended here; composition takes it from this module.
__all__ = ["api"]


class SheetIn(Body):
    """A term sheet; what belongs to one offer (start, expiry, brief, customization) is not kept."""

    name: str = Field(min_length=1, max_length=80)
    terms: Terms


class SheetChangeIn(SheetIn):
    """Other terms in place of `version`."""

    version: int


class PublishIn(Body):
    """Whether buyers of the studio's designs start from it."""

    published: bool


class SheetOut(BaseModel):
    """A term sheet; `deleted` ones can be restored."""

    id: str
    name: str
    terms: dict[str, Any]
    published: bool
    version: int
    deleted: bool


class SheetsOut(BaseModel):
    """Every term sheet of the studio."""

    items: list[SheetOut]


class DesignSheetIn(Body):
    """The sheet that offers for a design start from; null for the studio's published one."""

    sheet: str | None = Field(max_length=40)


class DesignSheetOut(BaseModel):
    """What offers for a design start from; `own` when it was chosen for this design, not published for all."""

    own: bool
    sheet: SheetOut | None


@api.get("/term-sheets", needs=Permission.TERM_SHEETS, returns=SheetsOut, summary="Term sheets of the studio")
def list_sheets(call: Call) -> SheetsOut:
    """By name; those deleted in the last 30 days at the end."""
    kept, gone = queries.sheets_of(call.session, call.actor)
    return SheetsOut(items=[_sheet(row) for row in [*kept, *gone]])


@api.call("POST", "/term-sheets", needs=Permission.TERM_SHEETS, body=SheetIn, returns=SheetOut, status=201,
          summary="Keep terms under a name")  # fmt: skip
def keep_sheet(call: Call, body: SheetIn) -> SheetOut:
    """409 `name_taken`."""
    return _sheet(operations.keep(call.session, call.actor, body.name, body.terms))


@api.call("PUT", "/term-sheets/<sheet_id>", needs=Permission.TERM_SHEETS, subject=load_sheet, body=SheetChangeIn,
          returns=SheetOut, summary="Change a term sheet")  # fmt: skip
def change_sheet(call: Call, sheet: TermSheet, body: SheetChangeIn) -> SheetOut:
    """409 `stale_version`, `name_taken`, `deleted`."""
    return _sheet(operations.change(call.session, call.actor, sheet, body.name, body.terms, body.version))


@api.call("DELETE", "/term-sheets/<sheet_id>", needs=Permission.TERM_SHEETS, subject=load_sheet,
          summary="Delete a term sheet")  # fmt: skip
def delete_sheet(call: Call, sheet: TermSheet) -> None:
    """It can be restored."""
    operations.remove(call.session, call.actor, sheet)


@api.call("POST", "/term-sheets/<sheet_id>/restore", needs=Permission.TERM_SHEETS, subject=load_sheet,
          returns=SheetOut, summary="Bring a deleted term sheet back")  # fmt: skip
def restore_sheet(call: Call, sheet: TermSheet) -> SheetOut:
    """409 `name_taken` when another has its name now."""
    operations.bring_back(call.session, call.actor, sheet)
    return _sheet(sheet)


@api.call("POST", "/term-sheets/<sheet_id>/publish", needs=Permission.TERM_SHEETS, subject=load_sheet, body=PublishIn,
          returns=SheetOut, summary="Let buyers start from a term sheet")  # fmt: skip
def publish_sheet(call: Call, sheet: TermSheet, body: PublishIn) -> SheetOut:
    """One sheet at a time."""
    operations.publish(call.session, call.actor, sheet, wanted=body.published)
    return _sheet(sheet)


@api.get("/designs/<design_id>/term-sheet", needs=Permission.TERM_SHEETS, subject=load_design, returns=DesignSheetOut,
         summary="What offers for a design start from")  # fmt: skip
def design_sheet(call: Call, design: Design) -> DesignSheetOut:
    """Of one's own design."""
    found = queries.start_of(call.session, design.org_id, design.id)
    sheet = found.sheet
    return DesignSheetOut(own=found.own is not None, sheet=_sheet(sheet) if sheet else None)


@api.call("PUT", "/designs/<design_id>/term-sheet", needs=Permission.TERM_SHEETS, subject=load_design,
          body=DesignSheetIn, returns=DesignSheetOut, summary="Choose what offers for a design start from")  # fmt: skip
def choose_sheet(call: Call, design: Design, body: DesignSheetIn) -> DesignSheetOut:
    """422 for a sheet that is not the studio's, or was deleted."""
    operations.choose(call.session, call.actor, design, body.sheet)
    call.session.flush()
    return design_sheet(call, design)


def _sheet(row: TermSheet) -> SheetOut:
    return SheetOut(
        id=row.id,
        name=row.name,
        terms=row.terms,
        published=row.is_default,
        version=row.version,
        deleted=row.deleted_at is not None,
    )
