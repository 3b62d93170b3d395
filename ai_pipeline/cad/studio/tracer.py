"""Radiance along rays: mirror metal, refracting stones, glossy opaque stones, the lit ground and the lights.

Paths never branch. Metal is followed as a perfect mirror (the lights are soft, so there is no noise); at a stone a
path reflects or refracts with the probability Fresnel gives. Dispersion is applied where light enters the stone
from the lights, that is at the last refraction of a path, once per color.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ai_pipeline.cad.studio.ground import Ground
from ai_pipeline.cad.studio.lights import Lighting
from ai_pipeline.cad.studio.world import CLEAR, METAL, OPAQUE, World

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

STEP = np.float32(2e-4)
"""Offset in mm that keeps a new ray off the surface it starts from."""

MAX_METAL_BOUNCES = 4
_ROOTS = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0, 41.0])
"""Multiples of square roots of primes, modulo 1, fill 0..1 evenly (Richtmyer's sequence)."""
DISPERSION = 3.0
"""Spread of the indices at the last refraction; the first one is not spread, so this makes up for it."""


def dot(a: Floats, b: Floats) -> Floats:
    """Row-wise dot product."""
    return np.asarray(np.einsum("ij,ij->i", a, b), np.float32)


def refract(d: Floats, n: Floats, eta: Floats) -> tuple[Floats, Bools]:
    """Refracted unit directions; ``eta`` = n_before / n_after, normals face the ray; False where all is reflected."""
    cos = -dot(d, n)
    k = 1 - eta * eta * (1 - cos * cos)
    ok = k > 0
    out = eta[:, None] * d + (eta * cos - np.sqrt(np.maximum(k, 0)))[:, None] * n
    return out / np.sqrt(np.maximum(dot(out, out), 1e-12))[:, None], ok


def fresnel(cos: Floats, eta: Floats) -> Floats:
    """Unpolarized reflectance of a dielectric; ``eta`` = n_before / n_after, 1 where all light is reflected."""
    sin2 = eta * eta * (1 - cos * cos)
    c2 = np.sqrt(np.maximum(1 - sin2, 0))
    rs = (eta * cos - c2) / np.maximum(eta * cos + c2, 1e-6)
    rp = (cos - eta * c2) / np.maximum(cos + eta * c2, 1e-6)
    return np.where(sin2 >= 1, np.float32(1), 0.5 * (rs * rs + rp * rp)).astype(np.float32)


@dataclass
class _Paths:
    """The state of all paths still under way."""

    index: npt.NDArray[np.intp]
    origin: Floats
    direction: Floats
    weight: Floats
    inside: Bools
    metal: npt.NDArray[np.int8]
    spread: Floats
    from_stone: Bools
    sample: npt.NDArray[np.int64]
    draw: Floats

    def keep(self, alive: Bools) -> "_Paths":
        """The paths that go on."""
        return _Paths(
            self.index[alive], self.origin[alive], self.direction[alive], self.weight[alive],
            self.inside[alive], self.metal[alive], self.spread[alive], self.from_stone[alive], self.sample[alive],
            self.draw[alive],
        )  # fmt: skip


@dataclass(frozen=True)
class Tracer:
    """Traces a world on its ground under lights; ``frame`` columns are the light axes in world coordinates."""

    world: World
    lighting: Lighting
    frame: Floats
    ground: Ground | None
    max_depth: int = 13

    def sky(self, directions: Floats, sharp: Bools) -> Floats:
        """Radiance of the lights ``(n,)``."""
        at = self.lighting.index(np.asarray(directions @ self.frame, np.float32))
        return np.where(sharp, self.lighting.sharp[at], self.lighting.soft[at])

    def radiance(
        self,
        origins: Floats,
        directions: Floats,
        rng: np.random.Generator,
        sample: npt.NDArray[np.int64] | None = None,
    ) -> tuple[Floats, Bools]:
        """Radiance ``(n, 3)`` along camera rays and whether each met the piece; rays that miss it return zero.

        ``sample`` numbers the rays of a pixel. Rays of one number decide alike at every depth, whatever their pixel:
        neighbors inside a facet then err alike, and what would be grain is not seen.
        """
        n = len(origins)
        result = np.zeros((n, 3), np.float32)
        met = np.zeros(n, np.bool_)
        p = _Paths(
            np.arange(n), origins, directions, np.ones((n, 3), np.float32), np.zeros(n, np.bool_),
            np.zeros(n, np.int8), np.zeros((n, 3), np.float32), np.zeros(n, np.bool_),
            np.arange(n) if sample is None else sample, np.zeros(n, np.float32),
        )  # fmt: skip
        for depth in range(self.max_depth):
            hits = self.world.cast(p.origin, p.direction)
            distance = np.where(hits.tri >= 0, hits.distance, np.float32(np.inf))
            if depth == 0:
                met = hits.tri >= 0
                done = ~met
            else:
                done = self._leave(p, distance, hits.tri < 0, result)
            alive = ~done
            if not alive.any():
                return result, met
            p = p.keep(alive)
            p.draw = (0.5 + p.sample * _ROOTS[depth % len(_ROOTS)] % 1).astype(np.float32) % 1
            tri, u, v, t = hits.tri[alive], hits.u[alive], hits.v[alive], hits.distance[alive]
            normal, face = self.world.normals(tri, u, v), self.world.faces[tri]
            part = self.world.part[tri]
            kind = self.world.kind[part]
            at = p.origin + p.direction * t[:, None]
            alive = np.ones(len(tri), np.bool_)
            for code, answer in ((METAL, self._metal), (CLEAR, self._clear), (OPAQUE, self._opaque)):
                here = np.flatnonzero(kind == code)
                if len(here):
                    alive[here] = answer(p, here, at, normal, face, part, t, rng, result)
            if not alive.all():
                p = p.keep(alive)
            if not len(p.index):
                return result, met
        # Light still on its way after the last bounce is taken as the dim average of the studio.
        np.add.at(result, p.index, p.weight * np.float32(0.12))
        return result, met

    def _leave(self, p: _Paths, distance: Floats, missed: Bools, result: Floats) -> Bools:
        """Add what paths that leave the piece see, the ground or the lights; return which those are."""
        done = missed
        if self.ground is not None:
            to_ground = self.ground.distance(p.origin, p.direction)
            low = (to_ground < distance) & ~p.inside
            done = missed | low
            k = np.flatnonzero(low)
            if len(k):
                result[p.index[k]] += p.weight[k] * self._floor(p.origin[k] + p.direction[k] * to_ground[k, None])
            missed = missed & ~low
        k = np.flatnonzero(missed)
        if len(k):
            d = p.direction[k]
            stone = p.from_stone[k]
            plain, spread = k[~stone], k[stone]
            if len(plain):
                result[p.index[plain]] += p.weight[plain] * self.sky(d[~stone], np.zeros(len(plain), np.bool_))[:, None]
            for c in range(3):
                if len(spread):
                    bent = p.direction[spread] + p.spread[spread] * np.float32((-1.0, 0.0, 1.7)[c])
                    bent /= np.sqrt(dot(bent, bent))[:, None]
                    seen = self.sky(bent, np.ones(len(spread), np.bool_))
                    result[p.index[spread], c] += p.weight[spread, c] * seen
        return done

    def _floor(self, points: Floats) -> Floats:
        """Radiance of the ground: bright near the piece, falling off to the dark of the room."""
        assert self.ground is not None
        rel = points - self.ground.point
        far = np.sqrt(dot(rel, rel)) / np.float32(self.ground.extent)
        falloff = np.float32(0.10) + np.float32(0.90) / (1 + (far / np.float32(0.55)) ** 2)
        bounce = falloff * np.float32(self.ground.look.bounce)
        return np.asarray(self.ground.color(points) * bounce[:, None], np.float32)

    def _metal(
        self, p: _Paths, k: npt.NDArray[np.intp], at: Floats, normal: Floats, face: Floats,
        part: npt.NDArray[np.int32], _t: Floats, _rng: np.random.Generator, result: Floats,
    ) -> Bools:  # fmt: skip
        """Mirror the paths ``k`` and tint them."""
        d = p.direction[k]
        n, g = normal[k], face[k]
        n = np.where((dot(d, g) > 0)[:, None], -n, n)
        g = np.where((dot(d, g) > 0)[:, None], -g, g)
        cos = np.clip(-dot(d, n), 0, 1)
        f0 = self.world.f0[part[k]]
        p.weight[k] *= f0 + (1 - f0) * ((1 - cos) ** 5)[:, None]
        out = d + (2 * cos)[:, None] * n
        # A smoothed normal may mirror a ray into the surface; lift it just above.
        low = np.minimum(dot(out, g) - np.float32(0.01), 0)
        out = out - low[:, None] * g
        out /= np.sqrt(dot(out, out))[:, None]
        p.direction[k] = out
        p.origin[k] = at[k] + g * STEP
        p.metal[k] += 1
        p.from_stone[k] = False
        over = p.metal[k] > MAX_METAL_BOUNCES
        if over.any():
            np.add.at(result, p.index[k[over]], p.weight[k[over]] * np.float32(0.22))
        return ~over

    def _clear(
        self, p: _Paths, k: npt.NDArray[np.intp], at: Floats, normal: Floats, face: Floats,
        part: npt.NDArray[np.int32], t: Floats, _rng: np.random.Generator, _result: Floats,
    ) -> Bools:  # fmt: skip
        """Reflect or refract the paths ``k`` at a stone's surface."""
        d, n, g = p.direction[k], normal[k], face[k]
        leaving = dot(d, g) > 0
        n = np.where(leaving[:, None], -n, n)
        g = np.where(leaving[:, None], -g, g)
        ior = self.world.ior[part[k]]
        eta = np.where(leaving, ior[:, 1], 1 / ior[:, 1]).astype(np.float32)
        cos = np.clip(-dot(d, n), 0, 1)
        p.weight[k] *= np.where(leaving[:, None], np.exp(-self.world.absorb[part[k]] * t[k, None]), 1)
        mirrored = p.draw[k] < fresnel(cos, eta)
        bent, _ = refract(d, n, eta)
        if leaving.any():
            red, _ = refract(d, n, np.where(leaving, ior[:, 0], eta).astype(np.float32))
            p.spread[k] = np.where(leaving[:, None], (bent - red) * np.float32(DISPERSION), 0)
        out = np.where(mirrored[:, None], d + (2 * cos)[:, None] * n, bent)
        p.direction[k] = out
        p.origin[k] = at[k] + np.where(mirrored[:, None], g, -g) * STEP
        p.inside[k] = np.where(mirrored, leaving, ~leaving)
        p.from_stone[k] = True
        p.spread[k] = np.where((mirrored & ~leaving)[:, None], 0, p.spread[k])
        return np.ones(len(k), np.bool_)

    def _opaque(
        self, p: _Paths, k: npt.NDArray[np.intp], at: Floats, normal: Floats, face: Floats,
        part: npt.NDArray[np.int32], _t: Floats, rng: np.random.Generator, result: Floats,
    ) -> Bools:  # fmt: skip
        """Gloss over a body color: the gloss goes on as a path, the body is lit by one diffuse ray."""
        d, n, g = p.direction[k], normal[k], face[k]
        cos = np.clip(-dot(d, n), 0, 1)
        f0 = self.world.f0[part[k]]
        gloss = f0 + (1 - f0) * ((1 - cos) ** 5)[:, None]
        z = rng.random(len(k), np.float32) * 2 - 1
        a = rng.random(len(k), np.float32) * np.float32(2 * np.pi)
        r = np.sqrt(1 - z * z)
        scatter = n + np.stack([r * np.cos(a), r * np.sin(a), z], -1).astype(np.float32) * np.float32(0.999)
        scatter /= np.sqrt(dot(scatter, scatter))[:, None]
        start = at[k] + g * STEP
        lit = ~self.world.occluded(start, scatter)
        level = self.sky(scatter, np.zeros(len(k), np.bool_))
        if self.ground is not None:
            level = np.where(np.isfinite(self.ground.distance(start, scatter)), np.float32(0.7), level)
        level = np.where(lit, level, np.float32(0.25))
        result[p.index[k]] += p.weight[k] * (1 - gloss) * self.world.albedo[part[k]] * level[:, None]
        p.weight[k] *= gloss
        p.direction[k] = d + (2 * cos)[:, None] * n
        p.origin[k] = start
        p.from_stone[k] = False
        p.metal[k] += 1
        return np.asarray(p.metal[k] <= MAX_METAL_BOUNCES)
