"""A perspective camera like a 70 mm lens, framed tightly around a set of points."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

HALF_ANGLE = np.radians(28.8 / 2)
"""Half the horizontal field of a 70 mm lens on a 36 mm frame; used for the longer side of the picture."""


@dataclass(frozen=True)
class Camera:
    """Position, axes (right, up, forward rows) and the picture plane at distance 1: center and pixel size.

    ``lens`` is the radius of the aperture in mm (0: everything is sharp) and ``focus`` the distance of the sharp plane.
    """

    eye: Doubles
    axes: Doubles
    center: tuple[float, float]
    pixel: float
    width: int
    height: int
    lens: float = 0.0
    focus: float = 1.0

    def rays(self, x: Floats, y: Floats, aperture: Floats | None = None) -> tuple[Floats, Floats]:
        """Origins and unit directions through pixel positions (0, 0 is the upper left corner).

        ``aperture`` ``(n, 2)`` in 0..1 spreads the rays over the lens; without it all pass its center.
        """
        px = self.center[0] + (x - self.width / 2) * self.pixel
        py = self.center[1] - (y - self.height / 2) * self.pixel
        d = px[:, None] * self.axes[0] + py[:, None] * self.axes[1] + self.axes[2]
        start = np.broadcast_to(self.eye, d.shape)
        if aperture is not None and self.lens:
            r, phi = np.sqrt(aperture[:, 0]) * self.lens, 2 * np.pi * aperture[:, 1]
            off = (r * np.cos(phi))[:, None] * self.axes[0] + (r * np.sin(phi))[:, None] * self.axes[1]
            start, d = start + off, d - off / self.focus
        d = d / np.linalg.norm(d, axis=1, keepdims=True)
        return start.astype(np.float32), d.astype(np.float32)

    def focused(self, sharp: Doubles, whole: Doubles, blur: float) -> "Camera":
        """Focus on the near part of ``sharp``; the far end of ``whole`` is blurred by ``blur`` of the width."""
        focus = float(np.quantile((sharp - self.eye) @ self.axes[2], 0.3))
        far = float(((whole - self.eye) @ self.axes[2]).max())
        lens = blur * self.width * self.pixel / 2 / max(abs(1 / focus - 1 / far), 1e-6)
        return replace(self, lens=lens, focus=focus)

    def confusion(self, points: Doubles) -> float:
        """The largest circle of confusion of world points, as a radius in pixels."""
        if not self.lens:
            return 0.0
        depth = (points - self.eye) @ self.axes[2]
        return float(self.lens * np.abs(1 / self.focus - 1 / depth).max() / self.pixel)

    def project(self, points: Doubles) -> Doubles:
        """Pixel positions ``(n, 2)`` of world points."""
        local = (points - self.eye) @ self.axes.T
        x = (local[:, 0] / local[:, 2] - self.center[0]) / self.pixel + self.width / 2
        y = self.height / 2 - (local[:, 1] / local[:, 2] - self.center[1]) / self.pixel
        return np.stack([x, y], -1)


def look_from(azimuth: float, elevation: float) -> Doubles:
    """Camera axes for degrees of azimuth (0 is the front, growing to the right) and elevation."""
    a, e = np.radians(azimuth), np.radians(elevation)
    back = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    right = np.array([np.cos(a), np.sin(a), 0.0])
    return np.stack([right, np.cross(back, right), -back])


def framed(
    points: Doubles, azimuth: float, elevation: float, size: tuple[int, int], *,
    fill: float = 0.74, shift: tuple[float, float] = (0.0, 0.0),
) -> Camera:  # fmt: skip
    """A camera whose picture of ``points`` is centered (moved by ``shift`` of the frame) and takes ``fill`` of it."""
    width, height = size
    axes = look_from(azimuth, elevation)
    middle = points.mean(0) * 0 + (points.min(0) + points.max(0)) / 2
    local = (points - middle) @ axes.T
    span = np.ptp(local[:, :2], axis=0)
    reach = float(max(span[0], span[1], np.ptp(local[:, 2]) * 0.5))
    distance = reach / 2 / np.tan(HALF_ANGLE) / fill + float(local[:, 2].max(initial=0))
    eye = middle - axes[2] * distance
    seen = (points - eye) @ axes.T
    flat = seen[:, :2] / seen[:, 2:]
    low, high = flat.min(0), flat.max(0)
    extent = high - low
    pixel = float(max(extent[0] / (fill * width), extent[1] / (fill * height)))
    center = (low + high) / 2
    return Camera(
        eye,
        axes,
        (float(center[0] - shift[0] * width * pixel), float(center[1] - shift[1] * height * pixel)),
        pixel,
        width,
        height,
    )
