"""How alloys and stones answer to light.

Reflectances at normal incidence are linear RGB, chosen so that a cast and polished alloy looks as it does beside its
neighbors (measured pure gold is lemon on screen). Indices of refraction are for the C, d and F lines.
"""

from dataclasses import dataclass, replace
from typing import Literal

Rgb = tuple[float, float, float]

ALLOYS: dict[str, Rgb] = {
    "24k_yellow": (1.0, 0.766, 0.336),
    "18k_yellow": (1.0, 0.755, 0.365),
    "14k_yellow": (0.97, 0.79, 0.49),
    "18k_rose": (0.97, 0.68, 0.53),
    "14k_rose": (0.96, 0.68, 0.55),
    "18k_white": (0.82, 0.81, 0.80),
    "14k_white": (0.80, 0.79, 0.77),
    "platinum": (0.76, 0.745, 0.72),
    "silver": (0.97, 0.96, 0.94),
}

#: Alloys that differ in weight, not to the eye: code -> the finish that shows them.
_FINISHES = {
    "22k_yellow": "24k_yellow",
    "18k_white_pd": "18k_white",
    "18k_white_ni": "18k_white",
    "14k_white_pd": "14k_white",
    "14k_white_ni": "14k_white",
    "10k_yellow": "14k_yellow",
    "9k_yellow": "14k_yellow",
    "sterling": "silver",
    "platinum_950_ru": "platinum",
    "platinum_950_co": "platinum",
    "palladium_950": "18k_white",
}


def finish_of(code: str) -> str:
    """The name in ALLOYS of what an alloy code looks like. Raises ``KeyError`` for an unknown code."""
    finish = _FINISHES.get(code, code)
    if finish not in ALLOYS:
        raise KeyError(code)
    return finish


@dataclass(frozen=True)
class Material:
    """One surface. ``f0`` is for metals and for the gloss of opaque stones, ``ior`` and ``absorb`` for clear ones.

    ``absorb`` is the extinction per millimeter, ``albedo`` the body color of an opaque stone.
    """

    kind: Literal["metal", "clear", "opaque"]
    f0: Rgb = (0.04, 0.04, 0.04)
    ior: Rgb = (1.5, 1.5, 1.5)
    absorb: Rgb = (0.0, 0.0, 0.0)
    albedo: Rgb = (0.8, 0.8, 0.8)


_CORUNDUM = (1.7649, 1.7687, 1.7760)
_BERYL = (1.574, 1.578, 1.584)
_QUARTZ = (1.542, 1.544, 1.550)

STONES: dict[str, Material] = {
    "diamond": Material("clear", ior=(2.4099, 2.4175, 2.4354)),
    "moissanite": Material("clear", ior=(2.62, 2.65, 2.72)),
    "cubic_zirconia": Material("clear", ior=(2.15, 2.17, 2.21)),
    "sapphire": Material("clear", ior=_CORUNDUM, absorb=(0.50, 0.32, 0.055)),
    "ruby": Material("clear", ior=_CORUNDUM, absorb=(0.035, 0.92, 0.60)),
    "emerald": Material("clear", ior=_BERYL, absorb=(0.52, 0.075, 0.30)),
    "aquamarine": Material("clear", ior=_BERYL, absorb=(0.085, 0.022, 0.014)),
    "amethyst": Material("clear", ior=_QUARTZ, absorb=(0.10, 0.24, 0.045)),
    "citrine": Material("clear", ior=_QUARTZ, absorb=(0.015, 0.075, 0.26)),
    "garnet": Material("clear", ior=(1.755, 1.76, 1.77), absorb=(0.07, 0.80, 0.70)),
    "tourmaline": Material("clear", ior=(1.62, 1.624, 1.634), absorb=(0.03, 0.19, 0.09)),
    "peridot": Material("clear", ior=(1.65, 1.654, 1.664), absorb=(0.09, 0.03, 0.26)),
    "morganite": Material("clear", ior=_BERYL, absorb=(0.012, 0.075, 0.055)),
    "topaz": Material("clear", ior=(1.616, 1.619, 1.628), absorb=(0.16, 0.045, 0.018)),
    "tanzanite": Material("clear", ior=(1.689, 1.694, 1.705), absorb=(0.34, 0.36, 0.05)),
    "spinel": Material("clear", ior=(1.711, 1.716, 1.729), absorb=(0.03, 0.55, 0.36)),
    "quartz": Material("clear", ior=_QUARTZ),
    "opal": Material("opaque", f0=(0.035, 0.035, 0.035), albedo=(0.80, 0.84, 0.86)),
    "jade": Material("opaque", f0=(0.062, 0.062, 0.062), albedo=(0.10, 0.36, 0.16)),
    "pearl": Material("opaque", f0=(0.055, 0.05, 0.05), albedo=(0.86, 0.81, 0.75)),
    "lapis": Material("opaque", f0=(0.045, 0.045, 0.045), albedo=(0.018, 0.045, 0.22)),
    "onyx": Material("opaque", f0=(0.05, 0.05, 0.05), albedo=(0.006, 0.006, 0.007)),
    "turquoise": Material("opaque", f0=(0.045, 0.045, 0.045), albedo=(0.05, 0.40, 0.42)),
    "malachite": Material("opaque", f0=(0.05, 0.05, 0.05), albedo=(0.01, 0.16, 0.07)),
}


def alloy(name: str) -> Material:
    """The material of an alloy. Raises ``KeyError`` for an unknown name."""
    return Material("metal", f0=ALLOYS[name])


USUAL_MM = 6.0
"""The size for which ``absorb`` is right; smaller stones are cut from deeper rough, or they would look colorless."""


def stone(species: str, size_mm: float = USUAL_MM) -> Material:
    """The material of a stone ``size_mm`` wide; an unknown species is shown as a colorless one."""
    found = STONES.get(species.lower().replace(" ", "_"), STONES["diamond"])
    deeper = max(USUAL_MM / max(size_mm, 0.5), 1.0) ** 0.75
    red, green, blue = found.absorb
    return replace(found, absorb=(red * deeper, green * deeper, blue * deeper))
