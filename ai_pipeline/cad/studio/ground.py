"""The surface a piece stands on or hangs before: its color and texture, soft shadows and the glow of metal."""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.looks import IVORY, Look
from ai_pipeline.cad.studio.world import METAL, World

Floats = npt.NDArray[np.float32]

TILE_MM, TILE = 60.0, 512
"""The texture repeats after this length; texels along it."""


@lru_cache(maxsize=1)
def _grain() -> Floats:
    """A seamless tile of fine and coarse noise of mean 0 and deviation 1, as of paper or honed stone."""
    rng = np.random.default_rng(23)
    total = np.zeros((TILE, TILE))
    for sigma, share in ((0.8, 0.45), (3.0, 0.30), (14.0, 0.55), (45.0, 0.75)):
        noise = ndimage.gaussian_filter(rng.standard_normal((TILE, TILE)), sigma, mode="wrap")
        total += share * noise / noise.std()
    return np.asarray(total / total.std(), np.float32)


def _hemisphere(count: int) -> tuple[Floats, Floats]:
    """A low-discrepancy set in the unit square (the R2 sequence)."""
    i = np.arange(count)
    return (0.5 + i * 0.7548776662) % 1, (0.5 + i * 0.5698402910) % 1


class Ground:
    """A plane through ``point`` with unit ``normal``; holds the light it receives as an RGB share of full light."""

    def __init__(self, point: Floats, normal: Floats, extent: float, look: Look = IVORY) -> None:
        """``extent`` is the half width in mm of the area in which shadows are kept."""
        self.look = look
        self.point, self.normal, self.extent = point.astype(np.float32), normal.astype(np.float32), float(extent)
        helper = np.eye(3, dtype=np.float32)[int(np.argmin(np.abs(self.normal)))]
        self.u = np.cross(self.normal, helper)
        self.u /= np.linalg.norm(self.u)
        self.v = np.cross(self.normal, self.u)
        self.light: Floats = np.ones((2, 2, 3), np.float32)
        self.sunlight: Floats | None = None
        self.bands = self.u

    def bake(
        self,
        world: World,
        lighting: Lighting,
        frame: Floats,
        *,
        grid: int,
        rays: int,
        soften: float,
        pool: ThreadPoolExecutor,
    ) -> None:
        """Gather the light over the hemisphere of each grid point.

        ``frame`` turns world into light directions, ``soften`` is the radius in mm over which the result is blurred.
        """
        axis = (np.arange(grid) + 0.5) / grid * 2 - 1
        a, b = np.meshgrid(axis * self.extent, axis * self.extent)
        points = self.point + a.reshape(-1, 1) * self.u + b.reshape(-1, 1) * self.v + self.normal * np.float32(2e-3)
        rng = np.random.default_rng(7)
        turn = rng.random((len(points), 2)).astype(np.float32)
        e1, e2 = _hemisphere(rays)

        def rows(part: slice) -> Floats:
            total = np.zeros((part.stop - part.start, 3), np.float32)
            full = np.zeros(part.stop - part.start, np.float32)
            for s, t in zip(e1, e2, strict=True):
                r = np.sqrt((s + turn[part, 0]) % 1)
                phi = np.float32(2 * np.pi) * ((t + turn[part, 1]) % 1)
                up = np.sqrt(np.maximum(1 - r * r, 0))
                d = (
                    (r * np.cos(phi))[:, None] * self.u
                    + (r * np.sin(phi))[:, None] * self.v
                    + up[:, None] * self.normal
                )
                d = d.astype(np.float32)
                level = lighting.sky[lighting.index(d @ frame)]
                full += level
                hits = world.cast(points[part].astype(np.float32), d)
                seen = hits.tri >= 0
                total += np.where(seen, 0, level)[:, None]
                if seen.any():
                    tri = hits.tri[seen]
                    part_of = world.part[tri]
                    n = world.normals(tri, hits.u[seen], hits.v[seen])
                    out = d[seen] - 2 * np.einsum("ij,ij->i", d[seen], n)[:, None] * n
                    glow = lighting.sky[lighting.index(out @ frame)][:, None] * world.f0[part_of]
                    # Clear stones let most of the light through.
                    clear = world.kind[part_of] != METAL
                    total[seen] += np.where(clear[:, None], 0.45 * level[seen][:, None], 0.55 * glow)
            return np.asarray(total / np.maximum(full, 1e-6)[:, None], np.float32)

        step = max(len(points) // 8, 1)
        parts = [slice(i, min(i + step, len(points))) for i in range(0, len(points), step)]
        light = np.concatenate(list(pool.map(rows, parts))).reshape(grid, grid, 3)
        blur = max(soften / (2 * self.extent / grid), 1.3)
        self.light = ndimage.gaussian_filter(np.clip(light, 0, 1.25), (blur, blur, 0)).astype(np.float32)

    def bake_sun(
        self, world: World, sun: Floats, *, grid: int, rays: int, pool: ThreadPoolExecutor,
    ) -> None:  # fmt: skip
        """Note which points see the ``sun`` (a unit direction in world coordinates), with its soft edge."""
        given = self.look.rig.sun
        assert given is not None
        across = np.cross(self.normal, sun)
        self.bands = (across / max(float(np.linalg.norm(across)), 1e-6)).astype(np.float32)
        axis = (np.arange(grid) + 0.5) / grid * 2 - 1
        a, b = np.meshgrid(axis * self.extent, axis * self.extent)
        points = self.point + a.reshape(-1, 1) * self.u + b.reshape(-1, 1) * self.v + self.normal * np.float32(2e-3)
        points = points.astype(np.float32)
        side = np.cross(sun, self.bands)
        e1, e2 = _hemisphere(rays)
        turn = np.random.default_rng(8).random((len(points), 2)).astype(np.float32)
        spread = np.float32(np.tan(np.radians(given.radius)))

        def rows(part: slice) -> Floats:
            open_to = np.zeros(part.stop - part.start, np.float32)
            for s, t in zip(e1, e2, strict=True):
                r = np.sqrt((s + turn[part, 0]) % 1) * spread
                phi = np.float32(2 * np.pi) * ((t + turn[part, 1]) % 1)
                d = sun + (r * np.cos(phi))[:, None] * self.bands + (r * np.sin(phi))[:, None] * side
                d /= np.linalg.norm(d, axis=1, keepdims=True)
                open_to += ~world.occluded(points[part], d.astype(np.float32))
            return np.asarray(open_to / np.float32(rays), np.float32)

        step = max(len(points) // 8, 1)
        parts = [slice(i, min(i + step, len(points))) for i in range(0, len(points), step)]
        seen = np.concatenate(list(pool.map(rows, parts))).reshape(grid, grid)
        self.sunlight = np.asarray(ndimage.gaussian_filter(seen, 1.0)[..., None], np.float32)

    def distance(self, origins: Floats, directions: Floats) -> Floats:
        """Distance along each ray to the front of the plane, infinite when it is not met."""
        facing = directions @ self.normal
        height = (origins - self.point) @ self.normal
        with np.errstate(divide="ignore", invalid="ignore"):
            t = -height / facing
        return np.where((facing < -1e-5) & (height > 0), t, np.float32(np.inf)).astype(np.float32)

    def received(self, points: Floats) -> Floats:
        """Share of full light ``(n, 3)`` at points on the plane, 1 beyond the baked area."""
        rel = points - self.point
        x, y = (rel @ self.u) / self.extent, (rel @ self.v) / self.extent
        edge = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.25, 0, 1)[:, None]
        sky = 1 + (_between(self.light, x, y) - 1) * edge
        given = self.look.rig.sun
        if given is None or self.sunlight is None:
            return np.asarray(sky, np.float32)
        sun = 1 + (_between(self.sunlight, x, y) - 1) * edge
        if given.window:
            at = rel @ self.bands / np.float32(given.window)
            pane = _smooth((0.5 - np.abs(at)) / 0.10 + 0.5) * (
                1 - 0.85 * _smooth((0.022 - np.abs(at - 0.24)) / 0.03 + 0.5)
            )
            sun = sun * pane[:, None]
        share = np.float32(given.share)
        return np.asarray(sky * (1 - share) + sun * share, np.float32)

    def color(self, points: Floats) -> Floats:
        """Radiance ``(n, 3)`` of points on the plane: its color, its texture and the light on it."""
        lit = self.received(points) * np.asarray(self.look.ground, np.float32)
        if not self.look.grain:
            return lit
        rel = points - self.point
        tile = _grain()[..., None]
        x, y = ((rel @ axis) / np.float32(TILE_MM) % 1 * 2 - 1 for axis in (self.u, self.v))
        far = np.exp(-np.einsum("ij,ij->i", rel, rel) / np.float32(3 * self.extent) ** 2)[:, None]
        return np.asarray(lit * (1 + np.float32(self.look.grain * 0.3) * _between(tile, x, y) * far), np.float32)


def _smooth(t: Floats) -> Floats:
    """A soft step from 0 to 1 as ``t`` goes from 0 to 1."""
    x = np.clip(t, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def _between(image: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear values ``(n, channels)`` of a square map at positions in -1..1."""
    grid = image.shape[0]
    gx = np.clip((x + 1) / 2 * grid - 0.5, 0, grid - 1.001)
    gy = np.clip((y + 1) / 2 * grid - 0.5, 0, grid - 1.001)
    ix, iy = gx.astype(np.intp), gy.astype(np.intp)
    fx, fy = (gx - ix)[:, None], (gy - iy)[:, None]
    upper = image[iy, ix] * (1 - fx) + image[iy, ix + 1] * fx
    lower = image[iy + 1, ix] * (1 - fx) + image[iy + 1, ix + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float32)
