"""How far a suspect points at each copy, with a bound on chance that holds for any file.

For a key that did not make the suspect the directions of the corners are independent and uniform on the sphere,
whatever the suspect is. What stands beside corner i, r_i, has then along the direction of the key a part r_i u with u
uniform in [-1, 1] (Archimedes), of variance 1/3; a uniform variable is strictly sub-Gaussian, so the weighted sum S
obeys P(S >= s) <= exp(-s^2 / (2 V)), V = sum of w_i^2 |r_i|^2 / 3. No approximation and no assumption about the file
is needed.

The order of facets: under another key it is a random permutation of n, in which a rising row of k facets has a chance
of at most C(n, k) / k!.
"""

from bisect import bisect_left
from collections.abc import Iterable
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from ai_pipeline.cad.fingerprint.align import Laid
from ai_pipeline.cad.fingerprint.code import directions, facet_ranks
from ai_pipeline.cad.fingerprint.points import Corners
from ai_pipeline.cad.fingerprint.report import Comparison, Suspicion

#: What stands beside a corner counts up to this, mm; more is rounding or another edit, not the mark.
CLIP = 2e-3
#: First look over this many corners, which is plenty for an untouched copy; all of them if nobody is found.
FIRST_LOOK = 3000
FACETS = 2048
#: Comparisons of one key with one pose: two looks at directions, one at the order.
PER_POSE = 3
#: exp(-CLEAR) chance of a single comparison ends the search in a pose.
CLEAR = 60.0


def compare(original: Corners, laid: Iterable[Laid], keys: dict[str, bytes], corners: int) -> Comparison:
    """Every key in every pose. The best of each copy is kept."""
    best: dict[str, Suspicion] = {}
    result = Comparison(corners=corners)
    for pose in laid:
        result.poses += 1
        result.matched = max(result.matched, len(pose.corner))
        result.comparisons += PER_POSE * len(keys)
        # The order is looked at only where no direction is clear: it costs more and can only add a weaker proof.
        for look in (_direction, _order):
            for copy_id, key in keys.items():
                found = look(original, pose, copy_id, key)
                if copy_id not in best or found.log_chance < best[copy_id].log_chance:
                    best[copy_id] = found
            if best and min(item.log_chance for item in best.values()) < -CLEAR:
                result.suspicions = sorted(best.values(), key=lambda item: item.log_chance)[:5]
                return result
    result.suspicions = sorted(best.values(), key=lambda item: item.log_chance)[:5]
    return result


def _direction(original: Corners, pose: Laid, copy_id: str, key: bytes) -> Suspicion:
    step = max(1, len(pose.corner) // FIRST_LOOK)
    score = score_of(original, pose.corner[::step], pose.apart[::step], key)
    if step > 1 and _chance(score) > -CLEAR:
        score = max(score, score_of(original, pose.corner, pose.apart, key))
    return Suspicion(copy_id=copy_id, by="geometry", score=score, log_chance=_chance(score))


def _order(original: Corners, pose: Laid, copy_id: str, key: bytes) -> Suspicion:
    rising, of = rising_row(facet_ranks(key, original.cells[pose.facets[:FACETS]]))
    return Suspicion(copy_id=copy_id, by="order", score=float(rising), log_chance=order_chance(rising, of))


def score_of(original: Corners, corner: NDArray[np.int64], apart: NDArray[np.float64], key: bytes) -> float:
    """Standard deviations by which what stands beside the corners follows the directions of `key`."""
    weight = original.reach[corner]
    length = np.linalg.norm(apart, axis=1)
    held = apart * np.minimum(1.0, CLIP / np.where(length > 0, length, 1.0))[:, None]
    along = np.einsum("ij,ij->i", held, directions(key, original.cells[corner]))
    spread = float((weight**2 * np.minimum(length, CLIP) ** 2).sum() / 3.0)
    return float((weight * along).sum() / np.sqrt(spread)) if spread > 0 else 0.0


def _chance(score: float) -> float:
    return -score * score / 2.0 if score > 0 else 0.0


def rising_row(ranks: NDArray[np.uint64]) -> tuple[int, int]:
    """(length of the longest strictly rising subsequence, number of different ranks)."""
    piles: list[int] = []
    for rank in ranks.tolist():
        place = bisect_left(piles, rank)
        if place == len(piles):
            piles.append(rank)
        else:
            piles[place] = rank
    return len(piles), len(set(ranks.tolist()))


def order_chance(rising: int, of: int) -> float:
    """Natural logarithm of C(of, rising) / rising!."""
    if rising < 2:
        return 0.0
    return min(0.0, lgamma(of + 1) - lgamma(of - rising + 1) - 2 * lgamma(rising + 1))


def decided(log_chance: float, comparisons: int) -> float:
    """Natural logarithm of the chance that any of all comparisons comes out so well by itself (Bonferroni)."""
    return min(0.0, log_chance + log(max(1, comparisons)))
