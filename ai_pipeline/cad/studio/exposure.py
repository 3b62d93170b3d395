"""One picture: which pixels need rays, how many, and how the piece is laid over its backdrop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ai_pipeline.cad.studio.camera import Camera
from ai_pipeline.cad.studio.film import tone
from ai_pipeline.cad.studio.ground import Ground
from ai_pipeline.cad.studio.looks import IVORY, Look
from ai_pipeline.cad.studio.tracer import Tracer
from ai_pipeline.cad.studio.world import METAL

Floats = npt.NDArray[np.float32]
Progress = Callable[[float], None]

CHUNK = 60_000
MOST_BLUR = 48.0
"""Pixels; a wider circle of confusion is cut off."""


@dataclass(frozen=True)
class Sampling:
    """Rays per pixel: ``base`` everywhere on the piece, ``edges`` where it changes, ``stones`` in stones.

    ``budget`` caps the rays spent on stones in one picture, so that a close view takes no longer than a wide one.
    """

    base: int = 5
    edges: int = 16
    stones: int = 72
    budget: int = 3_000_000
    mirror: bool = True


@dataclass
class _Sums:
    """Running sums of the pixels on the piece."""

    color: Floats
    cover: Floats
    square: Floats
    count: Floats


def _grown(mask: npt.NDArray[np.bool_], pixels: int) -> npt.NDArray[np.bool_]:
    """A mask widened by a square of ``pixels`` on each side."""
    return np.asarray(ndimage.maximum_filter(mask, 2 * pixels + 1))


def _offsets(count: int, start: int) -> tuple[Floats, Floats]:
    """Sub-pixel positions of samples ``start .. start + count`` of the R2 sequence."""
    i = np.arange(start, start + count)
    return ((0.5 + i * 0.7548776662) % 1).astype(np.float32), ((0.5 + i * 0.5698402910) % 1).astype(np.float32)


def _lens(count: int, start: int) -> Floats:
    """Places ``(count, 2)`` on the lens of samples ``start .. start + count``, apart from those of ``_offsets``."""
    i = np.arange(start, start + count)[:, None]
    return np.asarray((0.5 + i * np.array([0.6180339887, 0.8566748838])) % 1, np.float32)


def _dither(x: npt.NDArray[np.intp], y: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """A number in 0..1 for each pixel, unlike that of its neighbors (interleaved gradient noise, Jimenez 2014)."""
    return (52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1)) % 1


def look_of(tracer: Tracer) -> Look:
    """The look of the ground, or the house look where there is none."""
    return IVORY if tracer.ground is None else tracer.ground.look


def expose(tracer: Tracer, camera: Camera, sampling: Sampling, pool: ThreadPoolExecutor, progress: Progress) -> Floats:
    """The finished picture ``(height, width, 3)`` in linear display values."""
    first, kinds = _first_hits(tracer, camera)
    progress(0.08)
    backdrop = _backdrop(tracer, camera, first, sampling, pool)
    progress(0.2)
    blur = int(np.ceil(min(camera.confusion(tracer.world.points), MOST_BLUR)))
    touched = _grown(first, 1 + blur)
    rows, columns = np.nonzero(touched)
    n = len(rows)
    sums = _Sums(
        np.zeros((n, 3), np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    )
    everything = np.arange(n)
    _sample(tracer, camera, rows, columns, everything, sampling.base, 0, sums, pool)
    progress(0.5)
    stones = _grown(kinds != METAL, 1)[rows, columns]
    rough = _uneven(sums, rows, columns, first.shape)
    more = np.flatnonzero(rough & ~stones)
    per_stone = min(sampling.stones, max(12, sampling.budget // max(int(stones.sum()), 1)))
    # A blurred edge between light and dark needs more: after the transfer curve a hundredth of the light is seen.
    edges = sampling.edges * 4 if camera.lens else sampling.edges
    _sample(tracer, camera, rows, columns, more, max(edges - sampling.base, 0), sampling.base, sums, pool)
    progress(0.75)
    _sample(
        tracer,
        camera,
        rows,
        columns,
        np.flatnonzero(stones),
        max(per_stone - sampling.base, 0),
        sampling.base,
        sums,
        pool,
    )
    progress(0.98)
    share = 1 / sums.count[:, None]
    backdrop[rows, columns] = sums.color * share + backdrop[rows, columns] * (1 - sums.cover[:, None] * share)
    return backdrop


def _first_hits(tracer: Tracer, camera: Camera) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
    """Which pixels see the piece, and whether that is metal or stone."""
    hit = np.zeros((camera.height, camera.width), np.bool_)
    kinds = np.full(hit.shape, METAL, np.int8)
    where = camera.project(tracer.world.points)
    x0, y0 = np.clip(np.floor(where.min(0)).astype(int) - 2, 0, [camera.width, camera.height])
    x1, y1 = np.clip(np.ceil(where.max(0)).astype(int) + 3, 0, [camera.width, camera.height])
    y, x = np.mgrid[y0:y1, x0:x1]
    hits = tracer.world.cast(*camera.rays(x.ravel().astype(np.float32) + 0.5, y.ravel().astype(np.float32) + 0.5))
    seen = hits.tri >= 0
    hit[y0:y1, x0:x1] = seen.reshape(y.shape)
    kind = np.where(seen, tracer.world.kind[tracer.world.part[np.maximum(hits.tri, 0)]], METAL)
    kinds[y0:y1, x0:x1] = kind.reshape(y.shape)
    return hit, kinds


def _sample(
    tracer: Tracer, camera: Camera, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp],
    which: npt.NDArray[np.intp], count: int, start: int, sums: _Sums, pool: ThreadPoolExecutor,
) -> None:  # fmt: skip
    """Add ``count`` samples to the pixels ``which``."""
    if count == 0 or len(which) == 0:
        return
    dx, dy = _offsets(count, start)
    per = max(CHUNK // count, 1)
    exposed = look_of(tracer).exposure

    def chunk(begin: int) -> None:
        pixels = which[begin : begin + per]
        x = (columns[pixels][:, None] + dx[None]).ravel().astype(np.float32)
        y = (rows[pixels][:, None] + dy[None]).ravel().astype(np.float32)
        rng = np.random.default_rng((start + 1) * 1_000_003 + begin)
        aperture = None
        if camera.lens:
            turned = np.stack([_dither(columns[pixels], rows[pixels]), np.zeros(len(pixels))], -1)
            aperture = ((turned[:, None, ::-1] + _lens(count, start)[None]) % 1).reshape(-1, 2).astype(np.float32)
        sample = np.tile(np.arange(start, start + count), len(pixels))
        light, met = tracer.radiance(*camera.rays(x, y, aperture), rng, sample)
        color = tone(light, exposed) * met[:, None]
        luma = color @ np.array([0.3, 0.6, 0.1], np.float32)
        sums.color[pixels] += color.reshape(-1, count, 3).sum(1)
        sums.cover[pixels] += met.reshape(-1, count).sum(1)
        sums.square[pixels] += (luma**2).reshape(-1, count).sum(1)
        sums.count[pixels] += count

    list(pool.map(chunk, range(0, len(which), per)))


def _uneven(
    sums: _Sums, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Pixels whose samples differ among themselves or that lie at the outline."""
    mean = (sums.color @ np.array([0.3, 0.6, 0.1], np.float32)) / sums.count
    spread = np.sqrt(np.maximum(sums.square / sums.count - mean**2, 0))
    cover = sums.cover / sums.count
    marked = np.zeros(shape, np.bool_)
    marked[rows, columns] = (spread > 0.035) | ((cover > 0) & (cover < 1))
    return np.asarray(ndimage.binary_dilation(marked)[rows, columns])


def _backdrop(
    tracer: Tracer, camera: Camera, first: npt.NDArray[np.bool_], sampling: Sampling, pool: ThreadPoolExecutor
) -> Floats:
    """The sweep of the look with shadow, texture and a faint mirror image."""
    height, width = first.shape
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    fx, fy = xx / width - 0.5, yy / height - 0.42
    look, ground = look_of(tracer), tracer.ground
    fade = np.maximum(1.0 - look.fade * (fx * fx * 1.1 + fy * fy * 1.5), 0.05)[..., None].astype(np.float32)
    color = np.broadcast_to(np.asarray(look.ground, np.float32), (height * width, 3)).copy()
    if ground is None:
        return np.asarray(color.reshape(height, width, 3) * fade, np.float32)
    origins, directions = camera.rays(xx.ravel() + 0.5, yy.ravel() + 0.5)
    t = ground.distance(origins, directions)
    on = np.flatnonzero(np.isfinite(t))
    color[on] = ground.color(origins[on] + directions[on] * t[on, None])
    picture = color.reshape(height, width, 3) * fade
    if sampling.mirror and look.gloss:
        picture = _mirror_image(tracer, camera, ground, picture, pool)
    return np.asarray(picture, np.float32)


def _mirror_image(tracer: Tracer, camera: Camera, ground: Ground, picture: Floats, pool: ThreadPoolExecutor) -> Floats:
    """Blend in what the polished ground mirrors, blurred, and fading with height."""
    height, width = picture.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    origins, directions = camera.rays(xx.ravel(), yy.ravel())
    t = ground.distance(origins, directions)
    on = np.flatnonzero(np.isfinite(t))
    d = directions[on]
    cos = -(d @ ground.normal)
    out = d + (2 * cos)[:, None] * ground.normal
    start = origins[on] + d * t[on, None] + ground.normal * np.float32(1e-3)
    hits = tracer.world.cast(start, out)
    seen = np.flatnonzero(hits.tri >= 0)
    if len(seen) == 0:
        return picture
    rise = hits.distance[seen] * (out[seen] @ ground.normal)
    weight = (0.05 + 0.95 * (1 - cos[seen]) ** 5) * np.exp(-rise / np.float32(4.5))
    weight = weight * np.float32(2.6 * ground.look.gloss)
    color = np.zeros((height * width, 3), np.float32)
    share = np.zeros(height * width, np.float32)
    parts = np.array_split(seen, max(len(seen) // CHUNK, 2))

    def chunk(k: npt.NDArray[np.intp]) -> Floats:
        return tone(tracer.radiance(start[k], out[k], np.random.default_rng(11))[0], ground.look.exposure)

    shade = np.concatenate(list(pool.map(chunk, parts)))
    amount = np.clip(weight, 0, 0.35 * max(1.0, ground.look.gloss))
    color[on[seen]] = shade * amount[:, None]
    share[on[seen]] = amount
    sigma = width / 400
    color = ndimage.gaussian_filter(color.reshape(height, width, 3), (sigma, sigma, 0))
    share = ndimage.gaussian_filter(share.reshape(height, width), sigma)
    return np.asarray(picture * (1 - share[..., None]) + color, np.float32)
