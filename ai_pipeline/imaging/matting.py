"""Tell the piece from the ground of a studio photo, and how sure that is. No learned model: color and geometry alone.

The ground is taken as a smooth sheet of color (a second-order surface in Lab, fitted to the border and then to whatever
agrees with it). What differs from it is the piece; a random walk over similar neighbors (Grady 2006) settles what color
alone leaves open, and a guided filter (He, Sun, Tang 2010) carries the result to full size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, sparse
from scipy.sparse.linalg import cg

from ai_pipeline.imaging.color import Floats, lab, pixels_of
from ai_pipeline.imaging.stack import SURE

#: The long edge at which piece and ground are told apart, pixels.
WORK_EDGE = 400
_BORDER = 0.05
#: Differences are counted in spreads of the ground; a clean ground is never taken to vary less than this (Lab units).
_LEAST_SPREAD = 0.8
_FAR = 6.0
_SHADOW = 0.55
_CLEAN = 3.0
#: Half the width of a bay of the piece, pixels at work size.
_BAY = 12


@dataclass(frozen=True)
class Matte:
    """Which part of a picture is the piece.

    `share` (0..1) has the work size, like `ground`, an RGB image of the ground as it would be without the piece;
    `confidence` 0..1.
    """

    share: Floats
    ground: Image.Image
    confidence: float

    @property
    def sure(self) -> bool:
        """Whether the result may be used without a look."""
        return self.confidence >= SURE

    @property
    def piece(self) -> NDArray[np.bool_]:
        """The piece as a mask at work size."""
        return self.share > 0.5

    def box(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom of the piece as fractions; None when there is none."""
        mask = self.piece
        if not mask.any():
            return None
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        height, width = mask.shape
        return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def work_copy(image: Image.Image) -> Image.Image:
    """The image as RGB at work size."""
    scale = min(1.0, WORK_EDGE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.convert("RGB").resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)


def find_piece(image: Image.Image) -> Matte:
    """Tell piece and ground of an RGB image apart."""
    colors = lab(np.asarray(work_copy(image)))
    ground, spread, agree = _ground(colors)
    away = (colors - ground) / spread
    distance = np.sqrt((away**2).sum(axis=-1))
    prior = 1 / (1 + np.exp(np.clip(_FAR - distance, -30, 30)))
    shaded, perhaps = _shadow(colors, ground, spread)
    prior = np.where(perhaps, np.minimum(prior, 0.3), prior)
    prior = np.where(shaded, np.minimum(prior, 0.1), prior)
    share = _walk(colors, prior.astype(np.float32))
    share, doubtful = _tidy(share, distance)
    # Smooth silver on white looks like a shadow: what lies in a bay of the piece and was taken for one is a guess.
    mask = np.pad(share > 0.5, _BAY)
    bays = ndimage.binary_closing(mask, iterations=_BAY)[_BAY:-_BAY, _BAY:-_BAY] & (share <= 0.5) & perhaps
    doubtful += 2 * float(bays.sum()) / max(1, int((share > 0.5).sum()))
    return Matte(
        share, Image.fromarray(pixels_of(ground)), _confidence(share, np.where(perhaps, 0, distance), agree, doubtful)
    )


def _ground(colors: Floats) -> tuple[Floats, Floats, float]:
    """(color of the ground everywhere, its spread per channel, share of the border that agrees with it)."""
    height, width = colors.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    flat = colors.reshape(-1, 3)
    edge = np.zeros((height, width), bool)
    band = max(2, round(_BORDER * min(height, width)))
    edge[:band], edge[-band:], edge[:, :band], edge[:, -band:] = True, True, True, True
    border = edge.ravel()
    used = border.copy()
    level = np.median(flat[border], axis=0)
    used &= np.abs(flat - level).max(axis=1) < 12
    if used.sum() < 0.2 * border.sum():
        used = border.copy()
    sheet, spread = np.broadcast_to(level, flat.shape), np.full(3, 4.0)
    for number in range(6):
        fit, *_ = np.linalg.lstsq(terms[used], flat[used], rcond=None)
        sheet = terms @ fit
        off = np.abs(flat - sheet)
        spread = np.maximum(1.4826 * np.median(off[used], axis=0), _LEAST_SPREAD)
        near = (off / spread).max(axis=1) < 3.5
        used = near & (border if number < 3 else True)
        if used.sum() < 50:
            break
    agree = float(((np.abs(flat - sheet) / spread).max(axis=1) < _FAR)[border].mean())
    return sheet.reshape(colors.shape).astype(np.float32), spread.astype(np.float32), agree


def _shadow(colors: Floats, ground: Floats, spread: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the ground is only darker, of its own hue: (without an edge, a soft shadow; and as far as it may go on)."""
    darker = (colors[..., 0] < ground[..., 0]) & (colors[..., 0] > _SHADOW * ground[..., 0])
    tint = np.abs((colors - ground)[..., 1:]).max(axis=-1) < 3 * spread[1:].max() + 1.5
    light = ndimage.gaussian_filter(colors[..., 0], 1.0)
    slope = np.hypot(ndimage.sobel(light, 0), ndimage.sobel(light, 1)) / 8
    smooth = ndimage.maximum_filter(slope, 5) < 2.2
    shade = ndimage.binary_opening(darker & tint & smooth, iterations=2)
    return shade, ndimage.binary_dilation(shade, iterations=5) & darker & tint | shade


def _walk(colors: Floats, prior: Floats) -> Floats:
    """Chance of belonging to the piece: near its prior, and alike for neighbors of like color."""
    height, width = prior.shape
    number = np.arange(height * width).reshape(height, width)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    start = np.concatenate([a.ravel() for a, _ in pairs])
    end = np.concatenate([b.ravel() for _, b in pairs])
    flat = colors.reshape(-1, 3)
    apart = ((flat[start] - flat[end]) ** 2).sum(axis=1)
    weight = np.exp(-apart / (2 * max(9.0, float(apart.mean())))) + 1e-3
    trust = 0.25 * np.abs(2 * prior.ravel() - 1) ** 2 + 1e-3
    size = height * width
    links = sparse.coo_matrix((weight, (start, end)), shape=(size, size))
    links = (links + links.T).tocsr()
    diagonal = np.asarray(links.sum(axis=1)).ravel() + trust
    matrix = sparse.diags(diagonal) - links
    found, _ = cg(matrix, trust * prior.ravel(), x0=prior.ravel(), rtol=1e-3, maxiter=120, M=sparse.diags(1 / diagonal))
    out: Floats = np.clip(found, 0, 1).reshape(height, width).astype(np.float32)
    return out


def _tidy(share: Floats, distance: Floats) -> tuple[Floats, float]:
    """(share without specks beside the piece, and without holes in it that are no openings; area of filled holes).

    An opening (the inside of a ring) shows the ground and nothing else; a pale dial or a highlight has marks.
    The area is a fraction of the piece.
    """
    mask = share > 0.5
    area = int(mask.sum())
    out = share.copy()
    if not area:
        return out, 0.0
    labels, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    # A second earring or a stone beside the piece is no speck.
    out[np.isin(labels, np.flatnonzero(sizes < 0.01 * area) + 1)] = 0
    holes, count = ndimage.label(~mask)
    outside = set(np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])))
    filled = 0
    for number, place in enumerate(ndimage.find_objects(holes), start=1):
        if number in outside or place is None:
            continue
        hole = holes[place] == number
        core = ndimage.binary_erosion(hole, iterations=2)
        marked = core.any() and float(np.percentile(distance[place][core], 95)) > _CLEAN
        if marked or hole.sum() < 0.002 * area:
            out[place][hole] = 1
            filled += int(hole.sum())
    return out, filled / area


def _confidence(share: Floats, distance: Floats, agree: float, doubtful: float) -> float:
    """How far the result can be trusted, by its weakest side; each reaches 1 where nothing speaks against it.

    An even ground, a piece that does not run out of the picture, few pixels in doubt, nothing else on the ground, a
    piece that differs from the ground, and no large holes that had to be guessed.
    """
    mask = share > 0.5
    area = float(mask.mean())
    if not 0.003 < area < 0.85:
        return 0.0
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
    doubt = float(((share > 0.2) & (share < 0.8)).mean()) / area
    outside = ~ndimage.binary_dilation(mask, iterations=3)
    clutter = float((distance[outside] > _FAR).mean()) if outside.any() else 1.0
    contrast = (float(np.median(distance[mask])) - _FAR) / _FAR
    parts = ((agree - 0.4) / 0.5, 1 - rim / 0.15, 1 - doubt / 0.8, 1 - clutter / 0.2, contrast, 1 - doubtful / 0.25)
    return round(float(np.clip(min(parts), 0, 1)), 2)


def alpha_at(image: Image.Image, matte: Matte) -> Floats:
    """The share of the piece at the full size of `image`, its edge drawn along the edges of the picture."""
    guide = np.asarray(image.convert("L"), dtype=np.float32) / 255
    rough = Image.fromarray(matte.share).resize(image.size, Image.Resampling.BILINEAR)
    target = np.asarray(rough, dtype=np.float32)
    reach = 2 * max(1, round(max(image.size) / WORK_EDGE)) + 1
    mean, mean_t = ndimage.uniform_filter(guide, reach), ndimage.uniform_filter(target, reach)
    slope = ndimage.uniform_filter(guide * target, reach) - mean * mean_t
    slope /= ndimage.uniform_filter(guide * guide, reach) - mean * mean + 2e-4
    rest = mean_t - slope * mean
    out = ndimage.uniform_filter(slope, reach) * guide + ndimage.uniform_filter(rest, reach)
    clean: Floats = np.clip((out - 0.1) / 0.8, 0, 1).astype(np.float32)
    return clean
