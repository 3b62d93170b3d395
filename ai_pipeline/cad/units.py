"""Which unit a file was drawn in: what it says, what a person says, and what would make it a piece of jewelry."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ai_pipeline.cad.report import UnitProposal, UnitReport
from ai_pipeline.cad.shape import Body
from ai_pipeline.cad.sizes import ring_sizes

MM_PER = {"mm": 1.0, "cm": 10.0, "in": 25.4, "m": 1000.0, "um": 0.001, "mil": 0.0254, "dm": 100.0, "ft": 304.8,
          "yd": 914.4}  # fmt: skip
#: Units a person can choose; the others only ever come from a file that states them.
OFFERED = ("mm", "cm", "in", "m")
# The longest side of a piece of jewelry, mm: from a stud to a long chain laid out.
PLAUSIBLE = (3.0, 250.0)
# Inner diameters a finger (US 0 to 17) and an arm can wear, mm, and weights of one piece in 18k gold, g: an ear stud
# of a child to a heavy collar.
FINGER, ARM = (11.5, 25.5), (40.0, 90.0)
PLAUSIBLE_GRAMS = (0.05, 1500.0)
GOLD_DENSITY = 15.55
# A hole this large, as a share of the longest side, is what the piece is made around; a smaller one is a bail.
RING_SHARE = 0.5

Source = Literal["confirmed", "file", "assumed"]


@dataclass(frozen=True)
class Units:
    """The unit used, where it came from (`confirmed`, `file`, `assumed`), whether the size is plausible, and what else
    would be. `box` is the size of the whole piece in units of the file.
    """

    unit: str
    source: Source
    plausible: bool
    longest: float  # mm, if the unit is right
    proposals: tuple[str, ...]
    box: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def scale(self) -> float:
        """Millimeters per unit of the file at which shapes are told apart: where the unit is in doubt, the first that
        would fit. No length at that scale is shown.
        """
        return MM_PER[self.unit if self.plausible or not self.proposals else self.proposals[0]]


def judge(bodies: list[Body], stated: str | None, confirmed: str | None) -> Units:
    """Decide the unit of a file that states `stated`. A person's `confirmed` choice is always obeyed.

    Raises KeyError for a unit that is not in MM_PER.
    """
    box = _box(bodies)
    longest = max(box)
    used = confirmed or stated or "mm"
    fits = tuple(name for name in OFFERED if PLAUSIBLE[0] <= longest * MM_PER[name] <= PLAUSIBLE[1])
    return Units(
        unit=used,
        source="confirmed" if confirmed else "file" if stated else "assumed",
        plausible=confirmed is not None or PLAUSIBLE[0] <= longest * MM_PER[used] <= PLAUSIBLE[1],
        longest=longest * MM_PER[used],
        proposals=tuple(name for name in fits if name != used),
        box=box,
    )


def report_units(units: Units, inner_diameter: float | None, volume: float | None) -> UnitReport:
    """The unit with every alternative, best first, and what the piece would measure in it.

    `inner_diameter` (mm) and `volume` (mm3) are as measured at `units.scale`; None when there is no bore or no trusted
    volume. A bore that a finger or an arm can wear, then a likely weight, decide between sizes that are all plausible.
    """
    proposals = []
    for name in dict.fromkeys((units.unit, *OFFERED)):
        ratio = MM_PER[name] / units.scale
        sides = sorted((side * MM_PER[name] for side in units.box), reverse=True)
        bore = None if inner_diameter is None else round(inner_diameter * ratio, 3)
        grams = None if volume is None else float(f"{volume * ratio**3 / 1000.0 * GOLD_DENSITY:.3g}")
        size = ring_sizes(bore)["us"] if bore is not None and FINGER[0] <= bore <= FINGER[1] else None
        proposals.append(
            UnitProposal(
                unit=name,
                longest_mm=float(f"{sides[0]:.4g}"),
                width_mm=float(f"{sides[1]:.4g}"),
                inner_diameter=bore,
                ring_size_us=float(size) if isinstance(size, int | float) else None,
                grams_18k=grams,
                likely=_likely(sides[0], bore, grams),
            )
        )
    ranked = sorted(proposals, key=lambda item: (not item.likely, item.ring_size_us is None, item.unit != units.unit))
    return UnitReport(unit=units.unit, source=units.source, plausible=units.plausible, proposals=ranked)


def _likely(longest: float, bore: float | None, grams: float | None) -> bool:
    if not PLAUSIBLE[0] <= longest <= PLAUSIBLE[1]:
        return False
    if bore is not None and bore > RING_SHARE * longest and not any(low <= bore <= high for low, high in (FINGER, ARM)):
        return False
    return grams is None or PLAUSIBLE_GRAMS[0] <= grams <= PLAUSIBLE_GRAMS[1]


def _box(bodies: list[Body]) -> tuple[float, float, float]:
    """Sides of the box around all points that some face uses."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for body in bodies:
        used = np.zeros(len(body.vertices), bool)
        used[body.faces] = True
        low = np.minimum(low, body.vertices[used].min(axis=0))
        high = np.maximum(high, body.vertices[used].max(axis=0))
    x, y, z = (high - low).tolist()
    return x, y, z
