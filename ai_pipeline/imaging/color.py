"""Color as the eye judges it: sRGB to CIE Lab (D65) and the CIEDE2000 difference.

Sources: IEC 61966-2-1 (sRGB), ISO/CIE 11664-4 (Lab), ISO/CIE 11664-6 (CIEDE2000; written after the notes of Sharma, Wu
and Dalal 2005, whose test pairs are in the tests).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Linear sRGB to XYZ, divided by the D65 white, so that white is (1, 1, 1).
_TO_XYZ = np.array(
    [
        [0.4123908 / 0.9504559, 0.3575843 / 0.9504559, 0.1804808 / 0.9504559],
        [0.2126390, 0.7151687, 0.0721923],
        [0.0193308 / 1.0890578, 0.1191948 / 1.0890578, 0.9505322 / 1.0890578],
    ],
    dtype=np.float32,
)
#: What each channel gives to luminance.
LUMINANCE = (0.2126390, 0.7151687, 0.0721923)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def linear(coded: Floats) -> Floats:
    """sRGB values 0..1 as light."""
    out: Floats = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return out


def coded(light: Floats) -> Floats:
    """Light 0..1 as sRGB values."""
    light = np.clip(light, 0, 1)
    out: Floats = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)
    return out


def lab(pixels: NDArray[np.uint8]) -> Floats:
    """(..., 3) sRGB bytes as L 0..100, a, b."""
    table = linear((np.arange(256) / 255).astype(np.float32))
    xyz = table[pixels] @ _TO_XYZ.T
    bent = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    out: Floats = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
    return out


def pixels_of(colors: Floats) -> NDArray[np.uint8]:
    """(..., 3) Lab as sRGB bytes; what sRGB cannot show is cut off."""
    y = (colors[..., 0] + 16) / 116
    bent = np.stack([y + colors[..., 1] / 500, y, y - colors[..., 2] / 200], axis=-1)
    xyz = np.where(bent**3 > _EPSILON, bent**3, (116 * bent - 16) / _KAPPA)
    light = xyz.astype(np.float32) @ np.linalg.inv(_TO_XYZ).T
    out: NDArray[np.uint8] = np.rint(coded(light.astype(np.float32)) * 255).astype(np.uint8)
    return out


def delta_e(first: Floats, second: Floats) -> Floats:
    """CIEDE2000 difference of two (..., 3) arrays of Lab, element by element."""
    l1, a1, b1 = np.moveaxis(first.astype(np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(second.astype(np.float64), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    gray = c1 * c2 == 0
    turn = h2 - h1
    turn = np.where(gray, 0, turn - 360 * np.round(turn / 360))
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    mh = np.where(gray, h1 + h2, h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * np.cos(np.radians(mh - 30))
        + 0.24 * np.cos(np.radians(2 * mh))
        + 0.32 * np.cos(np.radians(3 * mh + 6))
        - 0.20 * np.cos(np.radians(4 * mh - 63))
    )
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    mc7 = mc**7
    turned = -2 * np.sqrt(mc7 / (mc7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2))))
    dl, dc, dh = dl / sl, dc / sc, dh / sh
    out: Floats = np.sqrt(np.maximum(0, dl**2 + dc**2 + dh**2 + turned * dc * dh)).astype(np.float32)
    return out
