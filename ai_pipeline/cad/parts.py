"""Which surfaces of a file are metal, which are stones, and which a person wants left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scipy.spatial import QhullError

from ai_pipeline.cad.gems import StoneSize, is_stone, measure_stone
from ai_pipeline.cad.gravity import SPECIFIC_GRAVITY
from ai_pipeline.cad.report import SeenBody
from ai_pipeline.cad.shape import Body
from ai_pipeline.cad.solids import Shell, Welding

STONE = "stone"


@dataclass
class Parts:
    """The shells by what they are; `sizes` belong to `stones`, one each. `chosen` says that a person decided some."""

    metal: list[Shell] = field(default_factory=list)
    stones: list[Shell] = field(default_factory=list)
    sizes: list[StoneSize] = field(default_factory=list)
    ignored: list[Shell] = field(default_factory=list)
    chosen: bool = False

    @property
    def used(self) -> list[Shell]:
        """Everything that is measured."""
        return self.metal + self.stones


def parts_of(welding: Welding, roles: Mapping[str, str] | None = None) -> Parts:
    """Tell metal from stones by names, layers, materials and shape.

    `roles` are a person's and win: shell index -> "metal", "stone:<species>" (the species may be empty) or "ignore".
    """
    found = Parts()
    for shell in welding.shells:
        role = (roles or {}).get(str(shell.index), "")
        kind, _, species = role.partition(":")
        found.chosen |= bool(role)
        if kind == "ignore":
            found.ignored.append(shell)
        elif kind == STONE or (kind != "metal" and is_stone(shell)):
            try:
                size = measure_stone(shell, species if species in SPECIFIC_GRAVITY else None)
            except (QhullError, ValueError):  # a flat sheet, whatever it is called
                found.metal.append(shell)
                continue
            found.stones.append(shell)
            found.sizes.append(size)
        else:
            found.metal.append(shell)
    return found


def seen_bodies(parts: Parts, hidden: list[Body]) -> list[SeenBody]:
    """Every part as it is listed for a person, in the order of the numbers by which roles name them."""
    rows = [_seen(shell, "metal") for shell in parts.metal] + [_seen(shell, "ignore") for shell in parts.ignored]
    for shell, size in zip(parts.stones, parts.sizes, strict=True):
        rows.append(_seen(shell, STONE).model_copy(update={"shape": size.shape, "species": size.species}))
    for body in hidden:
        row = SeenBody(index=body.index, name=body.name, layer=body.layer, material=body.material, hidden=True)
        rows.append(row.model_copy(update={"triangles": len(body.faces)}))
    return sorted(rows, key=lambda row: row.index)


def _seen(shell: Shell, kind: str) -> SeenBody:
    return SeenBody(
        index=shell.index,
        name=shell.name,
        layer=shell.layer,
        material=shell.material,
        kind=kind,  # type: ignore[arg-type]
        triangles=len(shell.faces),
        closed=shell.closed,
        volume=round(abs(shell.volume), 4) if shell.closed else None,
        box=tuple(round(float(value), 4) for value in (*shell.low, *shell.high)),  # type: ignore[arg-type]
    )
