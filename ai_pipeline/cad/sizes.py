"""Ring sizes from the inner diameter.

US: diameter 0.458 in + 0.032 in per size. EU (ISO 8653): inner circumference in mm. UK: circumference 36.25 + 1.25 k
mm, A = 1,
halves allowed. JP (JIS S 4700): diameter (n + 38) / 3 mm, whole sizes. HK: trade chart given in US sizes, whole sizes.
Sources: ringsizely.com, Wikipedia "Ring size", cross-checked with the sizes JewelCraft prints; read 2026-11.
"""

import math

INCH = 25.4
US_BASE_MM, US_STEP_MM = 0.458 * INCH, 0.032 * INCH
# fmt: off
HK_IN_US = {
    5: 2.75, 6: 3, 7: 3.5, 8: 3.75, 9: 4.25, 10: 4.75, 11: 5.25, 12: 5.5, 13: 6, 14: 6.5, 15: 7, 16: 7.5, 17: 7.75,
    18: 8.25, 19: 8.75, 20: 9, 21: 9.5, 22: 10, 23: 10.25, 24: 10.75, 25: 11.25, 26: 11.5, 27: 12, 28: 12.5,
    29: 12.75, 30: 13.25,
}
# fmt: on
# Half up, and a hair more: a bore measured 0.001 mm under a boundary is on it.
HALF = 0.505
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def us_diameter(size: float) -> float:
    """Inner diameter in mm of a US size."""
    return US_BASE_MM + US_STEP_MM * size


def ring_sizes(diameter: float) -> dict[str, float | str]:
    """Nearest size per system for an inner diameter in mm:
    `us` to a quarter, `eu` to 0.1, `uk` to a half, `jp` and `hk` whole.
    """
    us = (diameter - US_BASE_MM) / US_STEP_MM
    circumference = math.pi * diameter
    return {
        "us": math.floor(us * 4 + HALF) / 4,
        "eu": round(circumference, 1),
        "uk": _letters((circumference - 36.25) / 1.25),
        "jp": math.floor(3 * diameter - 38 + HALF),
        "hk": min(HK_IN_US, key=lambda number: (round(abs(HK_IN_US[number] - us), 6), number)),
    }


def _letters(size: float) -> str:
    halves = math.floor(size * 2 + HALF)
    whole, half = divmod(halves, 2)
    suffix = "½" if half else ""
    if whole < 1:
        return "<A"
    if whole <= len(LETTERS):
        return LETTERS[whole - 1] + suffix
    return f"Z+{whole - len(LETTERS)}{suffix}"


def diameter_of(system: str, size: str) -> float:
    """Inner diameter in mm of a size in words of its system ("us" "6.5", "uk" "N½"); raises ValueError."""
    if system == "uk":
        return (36.25 + 1.25 * _number_of(size)) / math.pi
    number = float(size)
    if not math.isfinite(number):
        raise ValueError(size)
    if system == "us":
        return us_diameter(number)
    if system == "eu":
        return number / math.pi
    if system == "jp":
        return (number + 38) / 3
    if system == "hk":
        return us_diameter(HK_IN_US[int(number)]) if number in HK_IN_US else _unknown(size)
    return _unknown(system)


def _number_of(letters: str) -> float:
    """A UK size as a number: A 1, A½ 1.5 ... Z 26, Z+1 27."""
    half = 0.5 if letters.endswith("½") else 0.0
    name = letters.removesuffix("½")
    if name.startswith("Z+") and name[2:].isdigit():
        return 26 + int(name[2:]) + half
    return LETTERS.index(name) + 1 + half if len(name) == 1 else _unknown(letters)


def _unknown(size: str) -> float:
    raise ValueError(size)
