"""What a person decides about a CAD file that no program can know: its unit, its layers, the part each body plays."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.designs.models import Asset
from marketplace.designs.uploads import check_again
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid

UNITS = ("mm", "cm", "in", "m")
_ROLE = re.compile(r"metal|ignore|stone:[a-z_]{0,30}")
_MAX_ROLES = 2000


def choose(
    session: Session,
    actor: Actor,
    asset: Asset,
    *,
    unit: str | None = None,
    layers: Sequence[str] | None = None,
    roles: Mapping[str, str | None] | None = None,
) -> Asset:
    """Note what a person decided and read the file again; what is None stays as it was, and nothing new reads nothing.

    `layers` are the names to read; `roles` say of bodies by their number whether they are `metal`, `stone:`,
    `stone:<species>` or `ignore`, and None forgets. Choosing other layers keeps the roles: numbers count hidden bodies
    too. Raises Invalid (`bad_unit`, `bad_layers`, `bad_roles`) and Conflict while the file is being read.
    """
    if asset.kind != "cad" or (unit is not None and unit not in UNITS):
        raise Invalid("bad_unit", "Choose mm, cm, m or in.", fields={"unit": "Choose mm, cm, m or in."})
    row = lock(session, Asset, asset.id)
    chosen = dict(row.choices)
    if layers is not None:
        chosen["layers"] = _layers(row.report, layers)
    if roles is not None:
        chosen["roles"] = _roles(row.report, {**chosen.get("roles", {}), **roles})
    chosen = {name: value for name, value in chosen.items() if value}
    if chosen == row.choices and unit in (None, row.unit):
        return row
    row.unit, row.choices = unit or row.unit, chosen
    check_again(session, actor, row, "measure")
    record(session, actor, "asset.chosen", row.id, owner_org_id=row.org_id, unit=row.unit, **chosen)
    return row


def _layers(report: dict[str, Any], names: Sequence[str]) -> list[str] | None:
    """The names in the order of the file; None when they are just those that the file shows anyway."""
    known = {layer["name"]: layer["visible"] for layer in report.get("layers", [])}
    wanted = [name for name in known if name in names]
    if not wanted or set(names) - known.keys():
        raise Invalid("bad_layers", "Choose at least one layer of the file.", fields={"layers": "Choose at least one."})
    return None if wanted == [name for name, visible in known.items() if visible] else wanted


def _roles(report: dict[str, Any], roles: Mapping[str, str | None]) -> dict[str, str]:
    known = {str(body["index"]) for body in report.get("bodies", [])}
    kept = {number: role for number, role in roles.items() if role}
    if len(kept) > _MAX_ROLES or set(kept) - known or not all(_ROLE.fullmatch(role) for role in kept.values()):
        raise Invalid("bad_roles", "Say of each body whether it is metal, a stone, or not part of the piece.")
    return kept
