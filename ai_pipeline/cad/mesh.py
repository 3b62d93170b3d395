"""Welding, edges, winding and splitting of triangle meshes: exact combinatorics on numpy arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from ai_pipeline.cad.shape import Faces, Points

# Welding distances in mm, tried in turn until nothing is open. Float32 files up to 100 mm repeat points exactly or
# within 1e-5.
TOLERANCES = (0.0, 1e-6, 1e-5, 1e-4)
MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


@dataclass
class Edges:
    """Edges of a face list. `open` have an odd number of faces;
    `unpaired` are not walked equally often in both directions.
    """

    open: int
    unpaired: int
    links: NDArray[np.int64]  # (k, 2) pairs of faces that share an edge
    same_way: NDArray[np.bool_]  # (k,) both walk the edge in the same direction: one of them is turned over


def weld(vertices: Points, faces: Faces) -> tuple[Points, Faces, float, int]:
    """(points, faces, tolerance used, faces dropped as doubles) at the smallest tolerance that leaves no edge open.

    If none does, the tolerance with the fewest open edges. Faces that collapse to a line are dropped; so are exact
    doubles.
    """
    best: tuple[int, Points, Faces, float, int] | None = None
    for tolerance in TOLERANCES:
        points, order = _merge(vertices, tolerance)
        merged = order[faces]
        flat = (merged[:, 0] == merged[:, 1]) | (merged[:, 1] == merged[:, 2]) | (merged[:, 2] == merged[:, 0])
        merged, doubles = _without_doubles(merged[~flat])
        left_open = edges(merged, len(points)).open
        if best is None or left_open < best[0]:
            best = (left_open, points, merged, tolerance, doubles)
        if left_open == 0:
            break
    assert best is not None
    return best[1], best[2], best[3], best[4]


def _merge(vertices: Points, tolerance: float) -> tuple[Points, NDArray[np.int64]]:
    """Distinct points and the place of each vertex among them; points keep their first coordinates."""
    keys = np.round((vertices - vertices.mean(axis=0)) / tolerance) if tolerance else vertices
    bits = np.ascontiguousarray(keys + 0.0).view(np.uint64)
    # Numbers that were single precision have 29 empty low bits, and a product keeps them empty: fold after each.
    mixed = np.zeros(len(bits), np.uint64)
    with np.errstate(over="ignore"):
        for column, factor in zip(bits.T, MIXERS, strict=True):
            mixed = (mixed ^ column ^ column >> np.uint64(32)) * factor
            mixed ^= mixed >> np.uint64(29)
    # Sorting alone is several times faster than np.unique with its stable sort.
    rank = np.argsort(mixed)
    steps = np.diff(mixed[rank], prepend=~mixed[rank[:1]]) != 0
    first = np.minimum.reduceat(rank, np.flatnonzero(steps))
    order = np.empty(len(rank), np.int64)
    order[rank] = np.cumsum(steps) - 1
    if not (bits[first][order] == bits).all():  # two points of one hash: take the slow, certain way
        _, first, order = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return vertices[first], order.ravel().astype(np.int64)


def _without_doubles(faces: Faces) -> tuple[Faces, int]:
    """Faces without exact repeats: of several with the same corners and winding one stays."""
    if not len(faces):
        return faces, 0
    lowest = faces.argmin(axis=1)
    turned = np.take_along_axis(faces, (lowest[:, None] + np.arange(3)) % 3, axis=1)
    order = np.lexsort(turned.T[::-1])
    repeated = np.zeros(len(faces), bool)
    repeated[order[1:]] = (turned[order][1:] == turned[order][:-1]).all(axis=1)
    return faces[~repeated], int(repeated.sum())


def edges(faces: Faces, points: int) -> Edges:
    """Count and pair the edges of `faces` over `points` vertices."""
    start, stop = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    key = np.minimum(start, stop) * np.int64(points) + np.maximum(start, stop)
    order = np.argsort(key)
    key, forward, owner = key[order], (start < stop)[order], order // 3
    begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, np.int64)
    counts = np.diff(np.r_[begins, len(key)])
    balance = np.add.reduceat(np.where(forward, 1, -1), begins) if len(key) else np.empty(0)
    follows = np.flatnonzero(key[1:] == key[:-1])
    return Edges(
        open=int((counts % 2 == 1).sum()),
        unpaired=int((balance != 0).sum()),
        links=np.column_stack([owner[follows], owner[follows + 1]]),
        same_way=forward[follows] == forward[follows + 1],
    )


def creases(points: Points, faces: Faces, degrees: float) -> NDArray[np.int64]:
    """(k, 2) ends of the edges where two faces meet sharper than `degrees`."""
    start, stop = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    key = np.minimum(start, stop) * np.int64(len(points)) + np.maximum(start, stop)
    order = np.argsort(key)
    twice = np.flatnonzero(key[order][1:] == key[order][:-1])
    one, two = order[twice] // 3, order[twice + 1] // 3
    unit, _ = normals(points, faces)
    sharp = np.einsum("ij,ij->i", unit[one], unit[two]) < np.cos(np.radians(degrees))
    edge = order[twice][sharp]
    return np.column_stack([start[edge], stop[edge]])


def components(faces: Faces, points: int) -> list[NDArray[np.int64]]:
    """Face numbers of each part that hangs together by edges, largest first."""
    links = edges(faces, points).links
    graph = coo_matrix((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(len(faces), len(faces)))
    count, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(labels, minlength=count))[:-1])
    return sorted(parts, key=len, reverse=True)


def rewind(faces: Faces, points: int) -> Faces:
    """One connected part with all faces turned the way of its first face, as far as its surface allows."""
    found = edges(faces, points)
    count = len(faces)
    rows, columns = found.links.T
    odd = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), found.same_way.tolist(), strict=True))
    graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(count, count)).tocsr()
    order, parents = breadth_first_order(graph, 0, directed=False)
    turned = np.zeros(count, bool)
    for face in order[1:].tolist():
        parent = int(parents[face])
        flip = odd.get((parent, face), odd.get((face, parent), False))
        turned[face] = turned[parent] ^ flip
    result = faces.copy()
    result[turned] = result[turned][:, ::-1]
    return result


def volume(vertices: Points, faces: Faces) -> float:
    """Signed volume by the divergence theorem, from the middle of the points so that distance costs no digits."""
    a, b, c = (vertices - vertices.mean(axis=0))[faces.T]
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def area(vertices: Points, faces: Faces) -> float:
    """Surface area."""
    a, b, c = vertices[faces.T]
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0)


def normals(vertices: Points, faces: Faces) -> tuple[Points, NDArray[np.float64]]:
    """(unit normals, areas) of the faces; degenerate faces have a zero normal."""
    a, b, c = vertices[faces.T]
    cross = np.cross(b - a, c - a)
    length = np.linalg.norm(cross, axis=1)
    return cross / np.where(length > 0, length, 1.0)[:, None], length / 2.0


def shaded(points: Points, faces: Faces, degrees: float) -> tuple[Points, Points, Faces]:
    """(points, normals, faces) for drawing: corners keep apart where faces meet sharper than `degrees`, else share."""
    unit, sizes = normals(points, faces)
    corner, owner = faces.ravel(), np.repeat(np.arange(len(faces)), 3)
    directions = unit[owner]
    if degrees:
        order = np.argsort(corner, kind="stable")
        counts = np.bincount(corner, minlength=len(points))
        starts = np.cumsum(counts) - counts
        # Every pair of faces around a point: those that lie nearly in one plane share their direction.
        around = counts[corner[order]]
        one = np.repeat(order, around)
        first = np.repeat(starts[corner[order]], around)
        step = np.arange(len(one)) - np.repeat(np.cumsum(around) - around, around)
        two = order[first + step]
        alike = np.einsum("ij,ij->i", directions[one], directions[two]) >= np.cos(np.radians(degrees))
        one, weight = one[alike], sizes[owner[two[alike]]]
        pushed = directions[two[alike]] * weight[:, None]
        smooth = np.column_stack([np.bincount(one, pushed[:, axis], len(corner)) for axis in range(3)])
        length = np.linalg.norm(smooth, axis=1, keepdims=True)
        directions = np.where(length > 0, smooth / np.where(length > 0, length, 1.0), directions)
    rounded = np.round(directions * 127).astype(np.int64) + 128
    key = ((corner.astype(np.int64) << 8 | rounded[:, 0]) << 8 | rounded[:, 1]) << 8 | rounded[:, 2]
    _, kept, order = np.unique(key, return_index=True, return_inverse=True)
    return points[corner[kept]], directions[kept], order.reshape(-1, 3).astype(np.int64)


def winding(point: NDArray[np.float64], vertices: Points, faces: Faces) -> float:
    """How often a closed mesh winds around a point: 1 inside, 0 outside (van Oosterom and Strackee 1983)."""
    a, b, c = (vertices - point)[faces.T]
    la, lb, lc = (np.linalg.norm(corner, axis=1) for corner in (a, b, c))
    numerator = np.einsum("ij,ij->i", a, np.cross(b, c))
    dots = (np.einsum("ij,ij->i", x, y) for x, y in ((a, b), (b, c), (c, a)))
    ab, bc, ca = dots
    return float(2.0 * np.arctan2(numerator, la * lb * lc + ab * lc + bc * la + ca * lb).sum() / (4.0 * np.pi))
