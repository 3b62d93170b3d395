"""Default densities of the alloys jewelry is cast in, g/cm3, with the range published sources give.

Sources, read 2026-11: JewelCraft weighting tables (cross-check), Stuller "specific gravity" article,
designbuildcast.co.uk
wax-to-metal ratios. A casting house knows its own alloy better: these are defaults to be overridden.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ai_pipeline.errors import N_

SOURCE = "JewelCraft, Stuller, designbuildcast.co.uk"
SOURCE_DATE = "2026-11"


@dataclass(frozen=True)
class Alloy:
    """Density and its published range in g/cm3; fineness in parts per thousand of the noble metal."""

    code: str
    label: str
    fineness: int
    density: float
    low: float
    high: float


ALLOYS: dict[str, Alloy] = {
    alloy.code: alloy
    for alloy in (
        Alloy("24k_yellow", N_("24k yellow gold"), 999, 19.32, 19.32, 19.36),
        Alloy("22k_yellow", N_("22k yellow gold"), 916, 17.8, 17.8, 17.86),
        Alloy("18k_yellow", N_("18k yellow gold"), 750, 15.55, 15.53, 15.60),
        Alloy("18k_white_pd", N_("18k white gold (palladium)"), 750, 15.7, 15.66, 15.80),
        Alloy("18k_white_ni", N_("18k white gold (nickel)"), 750, 14.65, 14.64, 14.69),
        Alloy("18k_rose", N_("18k rose gold"), 750, 15.1, 15.02, 15.18),
        Alloy("14k_yellow", N_("14k yellow gold"), 585, 13.05, 13.05, 13.65),
        Alloy("14k_white_pd", N_("14k white gold (palladium)"), 585, 14.4, 14.20, 14.60),
        Alloy("14k_white_ni", N_("14k white gold (nickel)"), 585, 12.61, 12.61, 12.61),
        Alloy("14k_rose", N_("14k rose gold"), 585, 13.15, 13.03, 13.26),
        Alloy("10k_yellow", N_("10k yellow gold"), 417, 11.5, 11.47, 11.57),
        Alloy("9k_yellow", N_("9k yellow gold"), 375, 11.1, 11.1, 11.1),
        Alloy("sterling", N_("sterling silver"), 925, 10.36, 10.35, 10.40),
        Alloy("platinum_950_ru", N_("platinum 950 (ruthenium)"), 950, 20.7, 20.15, 20.7),
        Alloy("platinum_950_co", N_("platinum 950 (cobalt)"), 950, 20.5, 20.5, 20.8),
        Alloy("palladium_950", N_("palladium 950"), 950, 11.8, 11.40, 12.16),
    )
}


# Weight a piece loses from casting to polish, as a share. Stuller and Gemwares name 0.2 to 0.25 mm of stock and planfab
# up to 10 % of the volume; the usual band, as read 2026-11.
FINISHING_LOSS = (0.05, 0.12)


@dataclass(frozen=True)
class Density:
    """What one alloy weighs, g/cm3, with the published range and where and when the number was read."""

    code: str
    density: float
    low: float
    high: float
    source: str
    date: str

    def grams(self, volume_mm3: float) -> float:
        """Mass in grams of a volume in mm3 as modeled: no sprue, no finishing loss."""
        return volume_mm3 / 1000.0 * self.density

    def tolerance(self, volume_mm3: float) -> float:
        """The larger distance from that mass to what the published densities give, grams."""
        return volume_mm3 / 1000.0 * max(self.high - self.density, self.density - self.low)


def densities(rows: Iterable[Mapping[str, Any]] | None = None) -> list[Density]:
    """The densities to weigh in: `rows` of a table (the fields of Density), or else the defaults of this module."""
    if rows:
        return [
            Density(
                str(row["code"]),
                float(row["density"]),
                float(row["low"]),
                float(row["high"]),
                str(row["source"]),
                str(row["date"]),
            )
            for row in rows
        ]
    return [Density(alloy.code, alloy.density, alloy.low, alloy.high, SOURCE, SOURCE_DATE) for alloy in ALLOYS.values()]
