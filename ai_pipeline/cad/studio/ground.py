"""The ivory surface a piece stands on or hangs before: soft shadows and the glow of metal, baked once per view."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.world import METAL, World

Floats = npt.NDArray[np.float32]

IVORY = np.array([0.905, 0.885, 0.850], np.float32)
"""Linear color of the backdrop at full light."""


def _hemisphere(count: int) -> tuple[Floats, Floats]:
    """A low-discrepancy set in the unit square (the R2 sequence)."""
    i = np.arange(count)
    return (0.5 + i * 0.7548776662) % 1, (0.5 + i * 0.5698402910) % 1


class Ground:
    """A plane through ``point`` with unit ``normal``; holds the light it receives as an RGB share of full light."""

    def __init__(self, point: Floats, normal: Floats, extent: float) -> None:
        """``extent`` is the half width in mm of the area in which shadows are kept."""
        self.point, self.normal, self.extent = point.astype(np.float32), normal.astype(np.float32), float(extent)
        helper = np.eye(3, dtype=np.float32)[int(np.argmin(np.abs(self.normal)))]
        self.u = np.cross(self.normal, helper)
        self.u /= np.linalg.norm(self.u)
        self.v = np.cross(self.normal, self.u)
        self.light: Floats = np.ones((2, 2, 3), np.float32)

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
                level = lighting.soft[lighting.index(d @ frame)]
                full += level
                hits = world.cast(points[part].astype(np.float32), d)
                seen = hits.tri >= 0
                total += np.where(seen, 0, level)[:, None]
                if seen.any():
                    tri = hits.tri[seen]
                    part_of = world.part[tri]
                    n = world.normals(tri, hits.u[seen], hits.v[seen])
                    out = d[seen] - 2 * np.einsum("ij,ij->i", d[seen], n)[:, None] * n
                    glow = lighting.soft[lighting.index(out @ frame)][:, None] * world.f0[part_of]
                    # Clear stones let most of the light through.
                    clear = world.kind[part_of] != METAL
                    total[seen] += np.where(clear[:, None], 0.45 * level[seen][:, None], 0.55 * glow)
            return np.asarray(total / np.maximum(full, 1e-6)[:, None], np.float32)

        step = max(len(points) // 8, 1)
        parts = [slice(i, min(i + step, len(points))) for i in range(0, len(points), step)]
        light = np.concatenate(list(pool.map(rows, parts))).reshape(grid, grid, 3)
        blur = max(soften / (2 * self.extent / grid), 1.3)
        self.light = ndimage.gaussian_filter(np.clip(light, 0, 1.25), (blur, blur, 0)).astype(np.float32)

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
        grid = self.light.shape[0]
        x, y = (rel @ self.u) / self.extent, (rel @ self.v) / self.extent
        gx = np.clip((x + 1) / 2 * grid - 0.5, 0, grid - 1.001)
        gy = np.clip((y + 1) / 2 * grid - 0.5, 0, grid - 1.001)
        ix, iy = gx.astype(np.intp), gy.astype(np.intp)
        fx, fy = (gx - ix)[:, None], (gy - iy)[:, None]
        m = self.light
        value = (m[iy, ix] * (1 - fx) + m[iy, ix + 1] * fx) * (1 - fy) + (
            m[iy + 1, ix] * (1 - fx) + m[iy + 1, ix + 1] * fx
        ) * fy
        edge = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.25, 0, 1)[:, None]
        return np.asarray(1 + (value - 1) * edge, np.float32)
